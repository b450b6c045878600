#include "postrider/drivers/sqlite/wal_damage.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "postrider/base/testing/temporary_folder.hpp"
#include "postrider/drivers/sqlite/sqlite_database.hpp"

namespace postrider {
namespace {

constexpr Statement insert_sql{"INSERT INTO members VALUES (1, '!r', $1)"};

/// The log of a database that lost its process: a few commits of one page or more each.
class WalDamageTest : public testing::Test {
 protected:
  WalDamageTest() {
    const auto database = SqliteDatabase::open({.path = running, .vfs = {}}).value();
    const auto connection = database->connect(SqliteDatabase::Access::read_write).value();
    for (int i = 0; i < commits; ++i) {
      begins.push_back(std::filesystem::file_size(running + "-wal"));
      const std::string member = "@" + std::to_string(i);
      EXPECT_TRUE(connection->execute(insert_sql, {std::string_view(member)}));
    }
    for (const char* end : {"", "-wal"}) std::filesystem::copy_file(running + end, path + end);
  }

  void flip(std::uint64_t offset) {
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }

  static constexpr int commits = 5;
  static constexpr std::uint64_t page_of_frame = 24;
  TemporaryFolder folder;
  std::string running = folder.file("running.db");
  std::string path = folder.file("p.db");
  std::string log = path + "-wal";
  std::vector<std::uint64_t> begins;  ///< of each commit in the log
};

TEST_F(WalDamageTest, a_log_that_is_whole_or_not_there_has_none) {
  EXPECT_FALSE(find_wal_damage(log));
  EXPECT_FALSE(find_wal_damage(log + "-of-nobody"));
  EXPECT_TRUE(SqliteDatabase::open({.path = path, .vfs = {}}));
}

TEST_F(WalDamageTest, is_found_in_a_commit_that_others_follow_and_refuses_the_database) {
  flip(begins[1] + page_of_frame + 7);
  const auto damage = find_wal_damage(log);
  ASSERT_TRUE(damage);
  EXPECT_EQ(damage->offset, begins[1]);
  EXPECT_GE(damage->commits, 3U);
  const auto size = std::filesystem::file_size(log);
  const auto opened = SqliteDatabase::open({.path = path, .vfs = {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::storage_failed);
  EXPECT_NE(opened.error().detail.find("p.db-wal is damaged at byte"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(log), size);
}

TEST_F(WalDamageTest, is_found_in_the_header_of_a_frame_and_of_the_log) {
  flip(begins[2] + 9);
  ASSERT_TRUE(find_wal_damage(log));
  flip(begins[2] + 9);
  EXPECT_FALSE(find_wal_damage(log));
  flip(25);
  ASSERT_TRUE(find_wal_damage(log));
  EXPECT_EQ(find_wal_damage(log)->offset, 0U);
}

TEST_F(WalDamageTest, a_last_commit_that_was_cut_off_or_torn_is_none) {
  const auto size = std::filesystem::file_size(log);
  flip(begins[commits - 1] + page_of_frame + 7);
  EXPECT_FALSE(find_wal_damage(log));
  std::filesystem::resize_file(log, size - 3);
  EXPECT_FALSE(find_wal_damage(log));
  EXPECT_TRUE(SqliteDatabase::open({.path = path, .vfs = {}}));
}

TEST_F(WalDamageTest, frames_of_an_older_log_behind_the_newest_are_none) {
  {
    const auto database = SqliteDatabase::open({.path = path, .vfs = {}}).value();
    const auto connection = database->connect(SqliteDatabase::Access::read_write).value();
    ASSERT_TRUE(connection->execute_once("PRAGMA wal_checkpoint(RESTART)"));
    const auto size = std::filesystem::file_size(log);
    ASSERT_TRUE(connection->execute(insert_sql, {std::string_view("@later")}));
    ASSERT_EQ(std::filesystem::file_size(log), size);
    EXPECT_FALSE(find_wal_damage(log));
  }
}

}  // namespace
}  // namespace postrider
