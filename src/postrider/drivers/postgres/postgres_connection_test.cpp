#include "postrider/drivers/postgres/postgres_connection.hpp"

#include <future>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "postrider/drivers/postgres/postgres_database.hpp"
#include "postrider/drivers/postgres/testing/cutting_proxy.hpp"
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

TEST_F(PostgresConnectionTest, says_when_it_is_the_statement_that_cannot_be_done) {
  ASSERT_TRUE(connection->execute_once(
      "CREATE TEMPORARY TABLE keyed (key TEXT PRIMARY KEY, small SMALLINT)"));
  constexpr Statement insert{"INSERT INTO keyed VALUES ($1, 1)"};
  ASSERT_TRUE(connection->execute(insert, {std::string_view("a")}));
  std::string incompressible;
  std::mt19937 chance(1);
  while (incompressible.size() < 4000) incompressible += static_cast<char>('!' + chance() % 90);
  const std::string_view not_utf8 = "\xff";
  for (const std::string_view key :
       {std::string_view("a"), not_utf8, std::string_view(incompressible)}) {
    EXPECT_EQ(connection->execute(insert, {key}).error().code, Code::storage_refused);
    ASSERT_TRUE(connection->begin());
    EXPECT_TRUE(connection->enqueue(insert, {key}));
    EXPECT_EQ(connection->commit().error().code, Code::storage_refused);
    connection->rollback();
  }
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

TEST_F(PostgresConnectionTest, a_full_disk_of_the_server_is_told_and_what_to_do) {
  constexpr Statement full{
      "DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$"};
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->enqueue(insert_sql, {1, nullptr, nullptr}));
  ASSERT_TRUE(connection->enqueue(full, {}));
  const auto refused = connection->commit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_full);
  EXPECT_TRUE(refused.error().detail.contains("free space on its server"));
  EXPECT_FALSE(connection->is_in_doubt());
  connection->rollback();
  EXPECT_EQ(count(), 0);
}

/// What can pass when the same is tried again says so, and leaves nothing.
class PassingFailure : public PostgresConnectionTest {
 protected:
  PassingFailure() {
    EXPECT_TRUE(other->execute_once("INSERT INTO numbers VALUES (1, 'one'), (2, 'two')"));
  }
  /// `failed` is what the last statement gave.
  void expect_nothing_happened(const Result<std::int64_t>& failed) {
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::storage_unavailable) << failed.error().detail;
    EXPECT_FALSE(connection->is_in_doubt());
    connection->rollback();
    EXPECT_EQ(count(), 2);
    ASSERT_TRUE(connection->begin());
    ASSERT_TRUE(connection->execute(insert_sql, {3, nullptr, nullptr}));
    EXPECT_TRUE(connection->commit());
    EXPECT_EQ(count(), 3);
  }

  static constexpr Statement change_one{"UPDATE numbers SET word = 'x' WHERE number = 1"};
  static constexpr Statement change_two{"UPDATE numbers SET word = 'x' WHERE number = 2"};
};

TEST_F(PassingFailure, of_a_statement_that_takes_too_long) {
  ASSERT_TRUE(connection->execute_once("SET statement_timeout = 50"));
  constexpr Statement sleep{"SELECT 1 FROM pg_sleep(20)"};
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->enqueue(insert_sql, {9, nullptr, nullptr}));
  expect_nothing_happened(connection->execute(sleep));
}

TEST_F(PassingFailure, of_a_lock_that_is_not_given_in_time) {
  ASSERT_TRUE(connection->execute_once("SET lock_timeout = 50"));
  ASSERT_TRUE(other->begin());
  ASSERT_TRUE(other->execute(change_one));
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->enqueue(insert_sql, {9, nullptr, nullptr}));
  const auto failed = connection->execute(change_one);
  other->rollback();
  expect_nothing_happened(failed);
}

TEST_F(PassingFailure, of_a_transaction_that_cannot_be_put_in_line_with_another) {
  ASSERT_TRUE(connection->execute_once("SET default_transaction_isolation = 'repeatable read'"));
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(connection->execute(insert_sql, {9, nullptr, nullptr}));
  ASSERT_TRUE(other->execute(change_one));
  expect_nothing_happened(connection->execute(change_one));
}

TEST_F(PassingFailure, of_one_of_two_that_wait_for_each_other) {
  for (SqlConnection* const each : {connection.get(), other.get()}) {
    ASSERT_TRUE(each->execute_once("SET deadlock_timeout = 100"));
    ASSERT_TRUE(each->begin());
  }
  ASSERT_TRUE(connection->execute(insert_sql, {9, nullptr, nullptr}));
  ASSERT_TRUE(connection->execute(change_one));
  ASSERT_TRUE(other->execute(change_two));
  const auto change = [](SqlConnection& by, const Statement& statement) {
    auto done = by.execute(statement);
    if (!done) by.rollback();
    return done;
  };
  Result<std::int64_t> of_other = 0;
  std::thread waits([&] { of_other = change(*other, change_one); });
  const auto of_this = change(*connection, change_two);
  waits.join();
  ASSERT_NE(of_this.has_value(), of_other.has_value());
  other->rollback();
  expect_nothing_happened(of_this ? of_other : of_this);
}

/// A commit of which nobody was told whether it has happened.
class CommitInDoubt : public PostgresConnectionTest {
 protected:
  void commit_and_lose(CuttingProxy::Cut where) {
    ASSERT_TRUE(through->begin());
    ASSERT_TRUE(through->execute(insert_sql, {1, nullptr, nullptr}));
    EXPECT_FALSE(through->is_in_doubt());
    proxy.cut_next(where);
    const auto lost = through->commit();
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Code::storage_unavailable);
    EXPECT_TRUE(through->is_in_doubt());
    through->rollback();
    EXPECT_TRUE(through->is_in_doubt());
  }
  void expect_works_on(std::int64_t rows) {
    ASSERT_TRUE(through->begin());
    EXPECT_FALSE(through->is_in_doubt());
    ASSERT_TRUE(through->execute(insert_sql, {2, nullptr, nullptr}));
    ASSERT_TRUE(through->commit());
    EXPECT_EQ(count(), rows);
  }

  const std::size_t port_begin = server.url().rfind(':') + 1;
  const std::size_t port_size = server.url().rfind('/') - port_begin;
  CuttingProxy proxy{server.url().substr(port_begin, port_size)};
  std::string url = std::string(server.url()).replace(port_begin, port_size, proxy.port());
  std::unique_ptr<SqlConnection> through = PostgresConnection::open(url, accept).value();
};

TEST_F(CommitInDoubt, has_happened_when_only_its_answer_was_lost) {
  commit_and_lose(CuttingProxy::Cut::after_commit);
  EXPECT_EQ(count(), 1);
  expect_works_on(2);
}

TEST_F(CommitInDoubt, has_not_happened_when_it_was_lost_itself) {
  commit_and_lose(CuttingProxy::Cut::before_commit);
  EXPECT_EQ(count(), 0);
  expect_works_on(1);
}

TEST_F(PostgresConnectionTest, what_must_change_a_row_and_does_not_fails_all_of_its_transaction) {
  constexpr Statement change_sql{"UPDATE numbers SET word = 'x' WHERE number = $1"};
  const Error missing = fail(Code::conflict, "nobody there").error();
  for (const std::int64_t number : {1, 2}) {
    const auto done = transact(*connection, [&]() -> Result<void> {
      TRY_VOID(connection->enqueue(insert_sql, {1, nullptr, nullptr}));
      TRY_VOID(connection->require(change_sql, {number}, missing));
      return connection->enqueue(insert_sql, {10 + number, nullptr, nullptr});
    });
    EXPECT_EQ(done.has_value(), number == 1);
    if (!done) {
      EXPECT_EQ(done.error().detail, "nobody there");
    }
    EXPECT_EQ(count(), number == 1 ? 2 : 0);
    EXPECT_TRUE(other->execute_once("DELETE FROM numbers"));
  }
  constexpr Statement divides{"SELECT 1 / 0"};
  EXPECT_EQ(connection->execute(divides).error().code, Code::storage_refused);
  ASSERT_TRUE(connection->begin());
  EXPECT_EQ(connection->execute(divides).error().code, Code::storage_refused) << "not of before";
  connection->rollback();
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

std::string as_user(const std::string& url, std::string_view user) {
  const std::string_view before = "postgres@";
  std::string changed = url;
  return changed.replace(changed.find(before), before.size(), std::string(user) + "@");
}

TEST(PostgresDatabaseTest, has_one_writer_of_each_name) {
  constexpr Statement count_of_leases_sql{"SELECT count(*) FROM leases"};
  const PostgresSettings settings{.url = PostgresServer::shared().url(), .schema = "one_writer"};
  const auto database = PostgresDatabase::open(settings).value();
  auto writer = database->connect(Database::Access::read_write);
  ASSERT_TRUE(writer) << writer.error().detail;
  auto second = std::async(std::launch::async,
                           [&] { return database->connect(Database::Access::read_write); });
  while (second.wait_for(std::chrono::milliseconds{20}) == std::future_status::timeout) {
    ASSERT_TRUE((*writer)->execute(count_of_leases_sql));
  }
  const auto refused = second.get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_locked);
  PostgresSettings other = settings;
  other.instance_name = "other";
  EXPECT_TRUE(PostgresDatabase::open(other).value()->connect(Database::Access::read_write));
  writer->reset();
  EXPECT_TRUE(database->connect(Database::Access::read_write));
}

TEST(PostgresDatabaseTest, no_statement_takes_longer_than_the_settings_say) {
  const PostgresSettings settings{.url = PostgresServer::shared().url(),
                                  .schema = "statement_timeout",
                                  .statement_timeout = std::chrono::milliseconds{50}};
  const auto database = PostgresDatabase::open(settings).value();
  constexpr Statement sleep{"SELECT 1 FROM pg_sleep(20)"};
  for (const auto access : {Database::Access::read_write, Database::Access::read_only}) {
    const auto slow = database->connect(access).value()->execute(sleep);
    ASSERT_FALSE(slow);
    EXPECT_EQ(slow.error().code, Code::storage_unavailable);
  }
}

TEST(PostgresDatabaseTest, who_does_nothing_inside_a_transaction_loses_it) {
  const PostgresSettings settings{.url = PostgresServer::shared().url(),
                                  .schema = "idle",
                                  .transaction_idle_max = std::chrono::milliseconds{50}};
  const auto writer =
      PostgresDatabase::open(settings).value()->connect(Database::Access::read_write).value();
  constexpr Statement insert{"INSERT INTO leases (name, session_key) VALUES ('x', 1)"};
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(writer->execute(insert));
  std::this_thread::sleep_for(std::chrono::milliseconds{500});
  const auto late = writer->commit();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::storage_unavailable);
  writer->rollback();
  ASSERT_TRUE(writer->begin());
  EXPECT_EQ(writer->execute(insert).value(), 1) << "the late one is not there";
  writer->rollback();
}

TEST(PostgresDatabaseTest, the_defaults_of_a_database_or_a_user_do_not_stop_it) {
  const std::string& url = PostgresServer::shared().url();
  const auto accept = [](PostgresConnection&) { return Result<void>{}; };
  const auto admin = PostgresConnection::open(url, accept).value();
  ASSERT_TRUE(admin->execute_once(
      "CREATE ROLE hampered LOGIN; GRANT CREATE ON DATABASE postgres TO hampered;"
      "ALTER ROLE hampered SET default_transaction_read_only = on;"
      "ALTER ROLE hampered SET statement_timeout = '20ms';"
      "ALTER ROLE hampered SET synchronous_commit = off;"
      "ALTER ROLE hampered SET default_transaction_isolation = 'serializable'"));
  const auto database =
      PostgresDatabase::open({.url = as_user(url, "hampered"), .schema = "hampered"});
  ASSERT_TRUE(database) << database.error().detail;
  const auto writer = (*database)->connect(Database::Access::read_write).value();
  constexpr Statement nap{"SELECT 1 FROM pg_sleep(0.1)"};
  EXPECT_TRUE(writer->execute(nap));
  EXPECT_TRUE(writer->execute_once("DELETE FROM streams"));
}

TEST(PostgresDatabaseTest, a_user_without_rights_is_told_which_ones) {
  const std::string& url = PostgresServer::shared().url();
  const auto accept = [](PostgresConnection&) { return Result<void>{}; };
  const auto admin = PostgresConnection::open(url, accept).value();
  ASSERT_TRUE(admin->execute_once("CREATE ROLE guest LOGIN; CREATE SCHEMA of_others"));
  const std::string guest = as_user(url, "guest");
  const auto no_schema = PostgresDatabase::open({.url = guest, .schema = "of_guest"});
  ASSERT_FALSE(no_schema);
  EXPECT_NE(no_schema.error().detail.find("GRANT CREATE ON DATABASE"), std::string::npos)
      << no_schema.error().detail;
  const auto no_usage = PostgresDatabase::open({.url = guest, .schema = "of_others"});
  ASSERT_FALSE(no_usage);
  EXPECT_EQ(no_usage.error().detail,
            "user guest may not use schema of_others; let its owner say"
            " GRANT USAGE, CREATE ON SCHEMA \"of_others\" TO \"guest\"");
  ASSERT_TRUE(admin->execute_once("GRANT USAGE, CREATE ON SCHEMA of_others TO guest"));
  EXPECT_TRUE(PostgresDatabase::open({.url = guest, .schema = "of_others"}));
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
