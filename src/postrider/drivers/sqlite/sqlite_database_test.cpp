#include "postrider/drivers/sqlite/sqlite_database.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "postrider/drivers/sqlite/sqlite_connection.hpp"
#include "postrider/drivers/testing/temporary_database.hpp"

namespace postrider {
namespace {

using Access = SqliteDatabase::Access;

class SqliteDatabaseTest : public testing::Test {
 protected:
  [[nodiscard]] SqliteSettings settings(std::uint64_t size_max = 0) const {
    return {.path = folder_.file("p.db"), .size_max_bytes = size_max, .vfs = {}};
  }

  TemporaryFolder folder_;
};

constexpr Statement insert_sql{"INSERT INTO members VALUES ($1, $2, $3)"};
constexpr Statement count_sql{"SELECT COUNT(*) FROM members"};

/// Somebody works on the files of a database that is in use.
class SqliteFilesTest : public SqliteDatabaseTest {
 protected:
  Result<void> commit() {
    return transact(*connection, [this]() -> Result<void> {
      return connection->enqueue(insert_sql,
                                 {++members_, std::string_view("!r"), std::string_view("@a")});
    });
  }
  void expect_refused(std::string_view file) {
    const auto refused = commit();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::storage_incompatible);
    EXPECT_TRUE(refused.error().detail.contains(fmt::format("the file {} was deleted", file)))
        << refused.error().detail;
  }

  const std::string path = folder_.file("p.db");
  std::unique_ptr<SqliteDatabase> database = SqliteDatabase::open(settings()).value();
  std::unique_ptr<SqlConnection> connection = database->connect(Access::read_write).value();

 private:
  std::int64_t members_ = 0;
};

TEST_F(SqliteFilesTest, nothing_is_committed_to_a_file_that_is_gone) {
  ASSERT_TRUE(commit());
  EXPECT_TRUE(database->is_in_place());
  std::filesystem::remove(path);
  EXPECT_FALSE(database->is_in_place());
  expect_refused(path);
}

TEST_F(SqliteFilesTest, nothing_is_committed_to_a_file_that_was_replaced) {
  ASSERT_TRUE(commit());
  std::filesystem::copy_file(path, path + ".copy");
  std::filesystem::rename(path + ".copy", path);
  EXPECT_FALSE(database->is_in_place());
  expect_refused(path);
}

TEST_F(SqliteFilesTest, nothing_is_committed_to_a_log_that_is_gone) {
  ASSERT_TRUE(commit());
  std::filesystem::remove(path + "-wal");
  expect_refused(path + "-wal");
}

TEST_F(SqliteFilesTest, a_file_that_is_put_back_is_used_again) {
  ASSERT_TRUE(commit());
  std::filesystem::rename(path, path + ".away");
  expect_refused(path);
  std::filesystem::rename(path + ".away", path);
  EXPECT_TRUE(database->is_in_place());
  EXPECT_TRUE(commit());
}

TEST_F(SqliteFilesTest, who_deletes_the_lock_file_does_not_let_a_second_process_in) {
  std::filesystem::remove(path + ".lock");
  const auto second = SqliteDatabase::open(settings());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::storage_locked);
  EXPECT_TRUE(commit());
}

std::int64_t members(SqlConnection& connection) {
  std::int64_t count = -1;
  EXPECT_TRUE(
      connection.execute(count_sql, {}, [&](const SqlRow& row) { count = row.integer(0); }));
  return count;
}

TEST_F(SqliteDatabaseTest, parameters_are_bound_by_their_number_in_any_order) {
  const auto database = SqliteDatabase::open(settings()).value();
  const auto connection = database->connect(Access::read_write).value();
  constexpr Statement sql{"SELECT $3, $1, $2, $1"};
  std::string seen;
  EXPECT_TRUE(connection->execute(sql, {std::string_view("a"), std::string_view("b"), 3},
                                  [&](const SqlRow& row) {
                                    for (int i = 0; i < 4; ++i) seen += row.text(i);
                                  }));
  EXPECT_EQ(seen, "3aba");
}

TEST_F(SqliteDatabaseTest, a_rolled_back_transaction_leaves_nothing_and_a_committed_one_stays) {
  {
    const auto database = SqliteDatabase::open(settings()).value();
    const auto connection = database->connect(Access::read_write).value();
    const auto insert = [&](std::string_view user) {
      return connection->execute(insert_sql, {1, std::string_view("!r"), user});
    };
    EXPECT_FALSE(transact(*connection, [&]() -> Result<void> {
      TRY_VOID(insert("@a"));
      return fail(Code::internal, "no");
    }));
    EXPECT_EQ(members(*connection), 0);
    EXPECT_TRUE(transact(*connection, [&]() -> Result<void> {
      TRY_VOID(insert("@a"));
      return {};
    }));
    EXPECT_FALSE(insert("@a"));  // the key is taken; the statement is usable afterwards
    EXPECT_TRUE(insert("@b"));
  }
  const auto database = SqliteDatabase::open(settings()).value();
  EXPECT_EQ(members(*database->connect(Access::read_only).value()), 2);
}

std::filesystem::perms mode_of(const std::string& path) {
  return std::filesystem::status(path).permissions();
}

TEST_F(SqliteDatabaseTest, nobody_else_may_read_its_files) {
  const auto database = SqliteDatabase::open(settings()).value();
  const auto connection = database->connect(Access::read_write).value();
  ASSERT_TRUE(connection->execute(insert_sql, {1, std::string_view("!r"), std::string_view("@a")}));
  using std::filesystem::perms;
  for (const char* file : {"p.db", "p.db-wal", "p.db-shm", "p.db.lock"}) {
    EXPECT_EQ(mode_of(folder_.file(file)), perms::owner_read | perms::owner_write) << file;
  }
}

TEST_F(SqliteDatabaseTest, a_file_keeps_the_mode_that_its_owner_has_given_it) {
  SqliteDatabase::open(settings()).value();
  using std::filesystem::perms;
  const perms shared = perms::owner_read | perms::owner_write | perms::group_read;
  std::filesystem::permissions(folder_.file("p.db"), shared);
  SqliteDatabase::open(settings()).value();
  EXPECT_EQ(mode_of(folder_.file("p.db")), shared);
}

TEST_F(SqliteDatabaseTest, a_value_that_breaks_a_rule_is_refused_as_such) {
  const auto database = SqliteDatabase::open(settings()).value();
  const auto connection = database->connect(Access::read_write).value();
  const auto insert = [&](SqlValue user) {
    return connection->execute(insert_sql, {1, std::string_view("!r"), user});
  };
  ASSERT_TRUE(insert(std::string_view("@a")));
  EXPECT_EQ(insert(std::string_view("@a")).error().code, Code::storage_refused);
  EXPECT_EQ(insert(nullptr).error().code, Code::storage_refused);
}

TEST_F(SqliteDatabaseTest, a_second_open_is_refused_naming_the_process) {
  const auto database = SqliteDatabase::open(settings()).value();
  const auto second = SqliteDatabase::open(settings());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::storage_locked);
  EXPECT_NE(second.error().detail.find("process " + std::to_string(::getpid())), std::string::npos);
}

TEST_F(SqliteDatabaseTest, a_file_that_is_no_database_is_refused_and_not_changed) {
  const std::string text(5000, 'x');
  std::ofstream(folder_.file("p.db")) << text;
  const auto opened = SqliteDatabase::open(settings());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::storage_incompatible);
  std::ifstream file(folder_.file("p.db"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(SqliteDatabaseTest, a_folder_that_does_not_exist_is_named) {
  const auto opened = SqliteDatabase::open({.path = folder_.file("no/p.db"), .vfs = {}});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("folder exist"), std::string::npos);
}

constexpr Statement page_size_sql{"SELECT page_size FROM pragma_page_size"};
constexpr Statement page_count_sql{"SELECT page_count FROM pragma_page_count"};

std::int64_t number(SqlConnection& connection, const Statement& sql) {
  std::int64_t value = -1;
  EXPECT_TRUE(connection.execute(sql, {}, [&](const SqlRow& row) { value = row.integer(0); }));
  return value;
}

const std::string large(20'000, 'u');

/// Inserts until that fails.
Error fill(SqlConnection& connection) {
  Result<std::int64_t> inserted = 0;
  for (std::int64_t i = 0; i < 100 && inserted; ++i) {
    inserted = connection.execute(insert_sql, {i, std::string_view("!r"), large});
  }
  return inserted.error();
}

TEST_F(SqliteDatabaseTest, a_new_file_has_small_pages) {
  const auto database = SqliteDatabase::open(settings()).value();
  EXPECT_EQ(number(*database->connect(Access::read_write).value(), page_size_sql), 1024);
}

TEST_F(SqliteDatabaseTest, a_file_keeps_the_pages_that_it_has_and_its_size_is_limited_in_bytes) {
  {
    const auto raw =
        SqliteConnection::open(folder_.file("p.db"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "")
            .value();
    ASSERT_TRUE(raw->execute_once("PRAGMA page_size = 4096; CREATE TABLE t (a); DROP TABLE t"));
  }
  const auto database = SqliteDatabase::open(settings(256U << 10)).value();
  const auto connection = database->connect(Access::read_write).value();
  EXPECT_EQ(number(*connection, page_size_sql), 4096);
  EXPECT_EQ(fill(*connection).code, Code::storage_full);
  EXPECT_LE(number(*connection, page_count_sql), 256 / 4);
  EXPECT_GT(number(*connection, page_count_sql), 200 / 4);
}

TEST_F(SqliteDatabaseTest, a_full_database_says_so_and_has_room_again_after_a_delete) {
  const auto database = SqliteDatabase::open(settings(256U << 10)).value();
  const auto connection = database->connect(Access::read_write).value();
  EXPECT_EQ(fill(*connection).code, Code::storage_full);
  EXPECT_LE(number(*connection, page_count_sql), 256);
  EXPECT_GT(number(*connection, page_count_sql), 200);
  constexpr Statement clear{"DELETE FROM members"};
  EXPECT_TRUE(connection->execute(clear));
  EXPECT_TRUE(connection->execute(insert_sql, {1, std::string_view("!r"), large}));
}

}  // namespace
}  // namespace postrider
