#include "postrider/drivers/postgres/postgres_connection.hpp"

#include <gtest/gtest.h>

#include "postrider/drivers/postgres/postgres_database.hpp"
#include "postrider/drivers/postgres/testing/postgres_server.hpp"

namespace postrider {
namespace {

constexpr Statement insert_sql{"INSERT INTO numbers VALUES ($1, $2, $3)"};
constexpr Statement select_sql{"SELECT number, word, bytes FROM numbers ORDER BY number"};
constexpr Statement count_sql{"SELECT COUNT(*) FROM numbers"};
constexpr Statement end_session_sql{
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    " AND application_name = 'under test'"};

Result<void> accept(PostgresConnection&) {
  return {};
}

Result<std::unique_ptr<PostgresConnection>> connect(const PostgresServer& server) {
  return PostgresConnection::open(server.url(), accept);
}

class PostgresConnectionTest : public testing::Test {
 protected:
  PostgresConnectionTest() {
    EXPECT_TRUE(connection->execute_once(
        "DROP TABLE IF EXISTS numbers; CREATE TABLE numbers (number BIGINT PRIMARY KEY, word TEXT,"
        " bytes BYTEA)"));
  }

  static Result<void> name_session(PostgresConnection& connection) {
    return connection.execute_once("SET application_name = 'under test'");
  }
  std::int64_t count() {
    std::int64_t rows = -1;
    EXPECT_TRUE(
        other->execute(count_sql, {}, [&rows](const SqlRow& row) { rows = row.integer(0); }));
    return rows;
  }
  void end_session() { ASSERT_TRUE(other->execute(end_session_sql)); }

  PostgresServer& server = PostgresServer::shared();
  std::unique_ptr<SqlConnection> connection =
      PostgresConnection::open(server.url(), name_session).value();
  std::unique_ptr<SqlConnection> other = connect(server).value();
};

TEST_F(PostgresConnectionTest, values_of_every_kind_come_back_as_they_were) {
  const std::string_view bytes("\0\xff\\", 3);
  ASSERT_TRUE(connection->execute(insert_sql,
                                  {std::int64_t{-5}, std::string_view("\xc3\xa4'"), Blob{bytes}}));
  ASSERT_TRUE(connection->execute(insert_sql, {INT64_MAX, std::string_view(), Blob{}}));
  ASSERT_TRUE(connection->execute(insert_sql, {INT64_MIN, nullptr, nullptr}));
  std::vector<std::string> rows;
  const auto changed = connection->execute(select_sql, {}, [&rows](const SqlRow& row) {
    rows.push_back(fmt::format("{} {} {}", row.integer(0),
                               row.is_null(1) ? "null" : fmt::format("'{}'", row.text(1)),
                               row.is_null(2) ? "null" : fmt::format("{}", row.blob(2).size())));
  });
  ASSERT_TRUE(changed);
  EXPECT_EQ(rows, (std::vector<std::string>{"-9223372036854775808 null null", "-5 '\xc3\xa4'' 3",
                                            "9223372036854775807 '' 0"}));
}

TEST_F(PostgresConnectionTest, tells_how_many_rows_a_statement_changed) {
  constexpr Statement two{"INSERT INTO numbers VALUES (1), (2)"};
  EXPECT_EQ(connection->execute(two).value(), 2);
}

TEST_F(PostgresConnectionTest, a_rolled_back_transaction_leaves_nothing) {
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->execute(insert_sql, {1, nullptr, nullptr}));
  connection->rollback();
  EXPECT_EQ(count(), 0);
}

TEST_F(PostgresConnectionTest, a_statement_that_fails_names_the_server_and_not_its_password) {
  constexpr Statement wrong{"SELECT nothing FROM nowhere"};
  const auto failed = connection->execute(wrong);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::storage_failed);
  EXPECT_NE(failed.error().detail.find("127.0.0.1"), std::string::npos) << failed.error().detail;
}

TEST_F(PostgresConnectionTest, what_only_reads_does_not_notice_that_the_connection_was_lost) {
  end_session();
  EXPECT_TRUE(connection->execute(count_sql));
}

TEST_F(PostgresConnectionTest, a_transaction_on_a_lost_connection_has_not_happened) {
  const auto database = PostgresDatabase::open({.url = server.url(), .schema = "lost"}).value();
  const auto writer = database->connect(Database::Access::read_write).value();
  constexpr Statement insert{"INSERT INTO public.numbers VALUES ($1)"};
  ASSERT_TRUE(writer->execute_once("SET application_name = 'under test'"));
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->execute(insert, {1}));
  end_session();
  const auto committed = writer->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, Code::storage_unavailable);
  writer->rollback();
  EXPECT_EQ(count(), 0);
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->execute(insert, {1}));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresConnectionTest, a_commit_after_a_failed_statement_is_no_commit) {
  constexpr Statement wrong{"SELECT nothing FROM nowhere"};
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->execute(insert_sql, {1, nullptr, nullptr}));
  ASSERT_FALSE(connection->execute(wrong));
  EXPECT_FALSE(connection->commit());
  connection->rollback();
  EXPECT_EQ(count(), 0);
}

TEST(PostgresConnectionOwnServer, works_on_after_the_server_was_killed_and_started_again) {
  PostgresServer server;
  const auto database = PostgresDatabase::open({.url = server.url(), .schema = "own"}).value();
  const auto connection = database->connect(Database::Access::read_write).value();
  ASSERT_TRUE(connection->execute_once("CREATE TABLE numbers (number BIGINT, w TEXT, b BYTEA)"));
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->execute(insert_sql, {1, nullptr, nullptr}));
  ASSERT_TRUE(connection->commit());
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->execute(insert_sql, {2, nullptr, nullptr}));
  server.kill();
  EXPECT_EQ(connection->commit().error().code, Code::storage_unavailable);
  connection->rollback();
  EXPECT_EQ(connection->begin().error().code, Code::storage_unavailable);
  server.restart();
  std::int64_t rows = -1;
  ASSERT_TRUE(
      connection->execute(count_sql, {}, [&rows](const SqlRow& row) { rows = row.integer(0); }));
  EXPECT_EQ(rows, 1);
}

TEST(PostgresDatabaseTest, has_one_writer_of_each_name) {
  const PostgresSettings settings{.url = PostgresServer::shared().url(), .schema = "one_writer"};
  const auto database = PostgresDatabase::open(settings).value();
  auto writer = database->connect(Database::Access::read_write);
  ASSERT_TRUE(writer) << writer.error().detail;
  const auto second = database->connect(Database::Access::read_write);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::storage_locked);
  PostgresSettings other = settings;
  other.instance_name = "other";
  EXPECT_TRUE(PostgresDatabase::open(other).value()->connect(Database::Access::read_write));
  writer->reset();
  EXPECT_TRUE(database->connect(Database::Access::read_write));
}

TEST(PostgresDatabaseTest, a_reader_cannot_write) {
  const PostgresSettings settings{.url = PostgresServer::shared().url(), .schema = "reader"};
  const auto database = PostgresDatabase::open(settings).value();
  const auto reader = database->connect(Database::Access::read_only).value();
  EXPECT_FALSE(reader->execute_once("DELETE FROM streams"));
}

TEST(PostgresDatabaseTest, a_server_that_is_not_there_is_named_without_its_password) {
  const auto missing =
      PostgresDatabase::open({.url = "postgresql://me:secret@127.0.0.1:1/x", .schema = "a"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::storage_unavailable);
  EXPECT_NE(missing.error().detail.find("127.0.0.1"), std::string::npos);
  EXPECT_EQ(missing.error().detail.find("secret"), std::string::npos) << missing.error().detail;
}

TEST(PostgresDatabaseTest, a_url_that_cannot_be_read_is_not_repeated) {
  for (const char* url : {"postgresql://me:secret@[::1/x", "postgresql://me:secret@h/x?no=1"}) {
    const auto refused = PostgresDatabase::open({.url = url, .schema = "a"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_EQ(refused.error().detail.find("secret"), std::string::npos) << refused.error().detail;
  }
}

}  // namespace
}  // namespace postrider
