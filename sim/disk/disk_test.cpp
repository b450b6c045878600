#include "sim/disk/disk.hpp"

#include <set>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "postrider/drivers/sqlite/sqlite_connection.hpp"
#include "postrider/drivers/sqlite/sqlite_database.hpp"
#include "sim/disk/disk_vfs.hpp"

namespace postrider::sim {
namespace {

using Status = Disk::Status;

std::string content(Disk& disk, const std::string& name) {
  const auto file = disk.open(name, false);
  if (file == nullptr) return "(none)";
  std::string bytes(file->size(), '?');
  EXPECT_EQ(disk.read(*file, 0, bytes), Status::ok);
  return bytes;
}

/// Everything that a file may hold after a loss of power, over many seeds.
template <class Prepare>
std::set<std::string> outcomes(Prepare prepare) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Disk disk{Random(seed)};
    prepare(disk);
    disk.lose_power();
    disk.restore_power(Disk::Loss::power);
    seen.insert(content(disk, "f"));
  }
  return seen;
}

TEST(Disk, what_was_synced_outlives_a_loss_of_power) {
  EXPECT_EQ(outcomes([](Disk& disk) {
              const auto file = disk.open("f", true);
              disk.write(*file, 0, "abc");
              disk.sync(*file);
            }),
            (std::set<std::string>{"abc"}));
}

TEST(Disk, what_was_not_synced_may_be_kept_or_lost_in_any_order) {
  const auto seen = outcomes([](Disk& disk) {
    const auto file = disk.open("f", true);
    disk.write(*file, 0, "....");
    disk.sync(*file);
    disk.write(*file, 0, "ab");
    disk.write(*file, 2, "cd");
  });
  EXPECT_EQ(seen, (std::set<std::string>{"....", "ab..", "..cd", "abcd"}));
}

TEST(Disk, a_large_write_tears_between_sectors_and_nowhere_else) {
  const auto seen = outcomes([](Disk& disk) {
    const auto file = disk.open("f", true);
    disk.write(*file, 0, std::string(1024, '.'));
    disk.sync(*file);
    disk.write(*file, 0, std::string(1024, 'x'));
  });
  const std::string old(512, '.');
  const std::string now(512, 'x');
  EXPECT_EQ(seen, (std::set<std::string>{old + old, old + now, now + old, now + now}));
}

TEST(Disk, what_a_failed_sync_covered_is_in_doubt_even_after_the_next_one) {
  const auto seen = outcomes([](Disk& disk) {
    const auto file = disk.open("f", true);
    disk.write(*file, 0, "..");
    disk.sync(*file);
    disk.write(*file, 0, "ab");
    disk.faults.sync_fails = 1000;
    EXPECT_EQ(disk.sync(*file), Status::failed);
    disk.faults.sync_fails = 0;
    EXPECT_EQ(disk.sync(*file), Status::ok);
    EXPECT_EQ(content(disk, "f"), "ab");
  });
  EXPECT_EQ(seen, (std::set<std::string>{"..", "ab"}));
}

TEST(Disk, a_new_file_may_be_gone_until_it_is_synced_and_a_removed_one_may_be_back) {
  EXPECT_TRUE(outcomes([](Disk& disk) { disk.open("f", true); }).contains("(none)"));
  const auto seen = outcomes([](Disk& disk) {
    disk.sync(*disk.open("f", true));
    disk.remove("f", false);
  });
  EXPECT_EQ(seen, (std::set<std::string>{"(none)", ""}));
}

TEST(Disk, when_only_the_process_dies_every_write_stays) {
  Disk disk{Random(1)};
  disk.write(*disk.open("f", true), 0, "abc");
  disk.lose_power();
  EXPECT_EQ(disk.open("f", true), nullptr);
  disk.restore_power(Disk::Loss::none);
  EXPECT_EQ(content(disk, "f"), "abc");
}

TEST(Disk, power_goes_in_the_change_that_was_named_and_everything_fails_from_then_on) {
  Disk disk{Random(1)};
  const auto file = disk.open("f", true);
  disk.lose_power_after(2);
  EXPECT_EQ(disk.write(*file, 0, "a"), Status::ok);
  EXPECT_EQ(disk.write(*file, 1, "b"), Status::failed);
  EXPECT_TRUE(disk.powerless());
  std::string byte("?");
  EXPECT_EQ(disk.read(*file, 0, byte), Status::failed);
  EXPECT_EQ(disk.sync(*file), Status::failed);
}

TEST(Disk, is_full_at_its_capacity_and_takes_what_does_not_grow) {
  Disk disk{Random(1)};
  disk.faults.capacity_bytes = 4;
  const auto file = disk.open("f", true);
  EXPECT_EQ(disk.write(*file, 0, "abcd"), Status::ok);
  EXPECT_EQ(disk.write(*file, 4, "e"), Status::full);
  EXPECT_EQ(disk.write(*file, 0, "ABCD"), Status::ok);
}

class DatabaseOnDisk : public testing::Test {
 protected:
  Result<std::unique_ptr<SqliteDatabase>> open() {
    return SqliteDatabase::open({.path = "/p.db", .vfs = vfs.name()});
  }

  Disk disk{Random(1)};
  DiskVfs vfs{"simulated-test", disk, Random(2)};
};

constexpr Statement insert_sql{"INSERT INTO members VALUES (1, '!r', $1)"};
constexpr Statement count_sql{"SELECT COUNT(*) FROM members"};

std::int64_t members(SqlConnection& connection) {
  std::int64_t count = -1;
  EXPECT_TRUE(
      connection.execute(count_sql, {}, [&](const SqlRow& row) { count = row.integer(0); }));
  return count;
}

TEST_F(DatabaseOnDisk, two_connections_share_one_log) {
  const auto database = open().value();
  const auto writer = database->connect(SqliteDatabase::Access::read_write).value();
  const auto reader = database->connect(SqliteDatabase::Access::read_only).value();
  ASSERT_TRUE(writer->execute(insert_sql, {std::string_view("@a")}));
  EXPECT_EQ(members(*reader), 1);
}

TEST_F(DatabaseOnDisk, a_commit_outlives_a_loss_of_power_and_an_open_transaction_does_not) {
  for (int round = 0; round < 20; ++round) {
    {
      const auto database = open().value();
      const auto writer = database->connect(SqliteDatabase::Access::read_write).value();
      EXPECT_EQ(members(*writer), round);
      const std::string user = fmt::format("@{}", round);
      ASSERT_TRUE(writer->execute(insert_sql, {user}));
      ASSERT_TRUE(writer->begin());
      ASSERT_TRUE(writer->execute(insert_sql, {std::string_view("@lost")}));
      disk.lose_power();
    }
    disk.restore_power(Disk::Loss::power);
  }
}

TEST_F(DatabaseOnDisk, a_full_disk_and_a_failing_sync_are_errors_and_pass) {
  const auto database = open().value();
  const auto writer = database->connect(SqliteDatabase::Access::read_write).value();
  disk.faults.capacity_bytes = 0;
  const auto full = writer->execute(insert_sql, {std::string_view("@a")});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::storage_full);
  disk.faults = {.sync_fails = 1000};
  const auto unsynced = writer->execute(insert_sql, {std::string_view("@a")});
  ASSERT_FALSE(unsynced);
  EXPECT_EQ(unsynced.error().code, Code::storage_failed);
  disk.faults = {};
  EXPECT_TRUE(writer->execute(insert_sql, {std::string_view("@a")}));
  EXPECT_EQ(members(*writer), 1);
}

constexpr Statement integrity_sql{"PRAGMA integrity_check"};

std::string integrity(SqlConnection& connection) {
  std::string report;
  EXPECT_TRUE(
      connection.execute(integrity_sql, {}, [&](const SqlRow& row) { report += row.text(0); }));
  return report;
}

TEST(DatabaseOnDiskAfterFailedSync, holds_what_was_stored_since_the_process_died) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Disk disk{Random(seed)};
    const DiskVfs vfs{"simulated-failed-sync", disk, Random(2)};
    const SqliteSettings settings{.path = "/p.db", .vfs = vfs.name()};
    {
      const auto database = SqliteDatabase::open(settings).value();
      const auto writer = database->connect(SqliteDatabase::Access::read_write).value();
      disk.faults.sync_fails = 1000;
      ASSERT_FALSE(writer->execute(insert_sql, {std::string_view("@failed")}));
      disk.lose_power();
    }
    disk.restore_power(Disk::Loss::none);
    disk.faults = {.next_syncs_fail = 1};
    // A start that fails may not write back what may not be in the log.
    const std::string before = content(disk, settings.path);
    EXPECT_FALSE(SqliteDatabase::open(settings));
    EXPECT_TRUE(content(disk, settings.path) == before);
    disk.faults = {};
    std::int64_t stored = 0;
    {
      // While it reads, the log is not written back.
      const auto reader =
          SqliteConnection::open(settings.path, SQLITE_OPEN_READONLY, settings.vfs).value();
      stored = members(*reader);
      const auto database = SqliteDatabase::open(settings).value();
      const auto writer = database->connect(SqliteDatabase::Access::read_write).value();
      ASSERT_TRUE(writer->execute(insert_sql, {std::string_view("@stored")}));
      disk.lose_power();
    }
    disk.restore_power(Disk::Loss::power);
    const auto database = SqliteDatabase::open(settings).value();
    const auto connection = database->connect(SqliteDatabase::Access::read_write).value();
    EXPECT_EQ(integrity(*connection), "ok") << seed;
    EXPECT_EQ(members(*connection), stored + 1) << seed;
  }
}

}  // namespace
}  // namespace postrider::sim
