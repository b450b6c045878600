#include "postrider/drivers/sqlite/sqlite_database.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "postrider/store/blocks.hpp"
#include "postrider/store/inbox.hpp"
#include "postrider/store/services.hpp"
#include "postrider/store/streams.hpp"

namespace postrider {
namespace {

using Access = SqliteDatabase::Access;

class SqliteDatabaseTest : public testing::Test {
 protected:
  SqliteDatabaseTest() {
    folder_ = std::filesystem::temp_directory_path() /
              ("postrider-" + std::to_string(::getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  ~SqliteDatabaseTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] SqliteSettings settings(std::uint64_t size_max = 0) const {
    return {.path = folder_ / "p.db", .size_max_bytes = size_max, .vfs = {}};
  }

  std::filesystem::path folder_;
};

constexpr Statement insert_sql{"INSERT INTO members VALUES ($1, $2, $3)"};
constexpr Statement count_sql{"SELECT COUNT(*) FROM members"};

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

TEST_F(SqliteDatabaseTest, a_second_open_is_refused_naming_the_process) {
  const auto database = SqliteDatabase::open(settings()).value();
  const auto second = SqliteDatabase::open(settings());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::storage_locked);
  EXPECT_NE(second.error().detail.find("process " + std::to_string(::getpid())), std::string::npos);
}

TEST_F(SqliteDatabaseTest, a_file_that_is_no_database_is_refused_and_not_changed) {
  const std::string text(5000, 'x');
  std::ofstream(folder_ / "p.db") << text;
  const auto opened = SqliteDatabase::open(settings());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::storage_incompatible);
  std::ifstream file(folder_ / "p.db");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(SqliteDatabaseTest, a_folder_that_does_not_exist_is_named) {
  const auto opened = SqliteDatabase::open({.path = folder_ / "no" / "p.db", .vfs = {}});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("folder exist"), std::string::npos);
}

TEST_F(SqliteDatabaseTest, a_full_database_says_so_and_has_room_again_after_a_delete) {
  const auto database = SqliteDatabase::open(settings(256U << 10)).value();
  const auto connection = database->connect(Access::read_write).value();
  const std::string large(20'000, 'u');
  Result<std::int64_t> inserted = 0;
  for (std::int64_t i = 0; i < 100 && inserted; ++i) {
    inserted = connection->execute(insert_sql, {i, std::string_view("!r"), large});
  }
  ASSERT_FALSE(inserted);
  EXPECT_EQ(inserted.error().code, Code::storage_full);
  constexpr Statement clear{"DELETE FROM members"};
  EXPECT_TRUE(connection->execute(clear));
  EXPECT_TRUE(connection->execute(insert_sql, {1, std::string_view("!r"), large}));
}

TEST_F(SqliteDatabaseTest, delivery_states_and_positions_read_back_as_written) {
  const auto database = SqliteDatabase::open(settings()).value();
  const auto connection = database->connect(Access::read_write).value();
  ServiceRow row{.key = {}, .id = "a", .registration = "{}", .transaction_prefix = "00000001"};
  row.key = insert_service(*connection, row, wall_time(1)).value();
  DeliveryState state;
  state.status = DeliveryStatus::down;
  state.acknowledged = InboxSeq{7};
  state.transaction = TransactionNumber{3};
  state.frozen_through = InboxSeq{9};
  state.attempts = 2;
  state.retry_interval = std::chrono::seconds{4};
  state.next_attempt_at = wall_time(99);
  state.last_error = "refused";
  ASSERT_TRUE(update_delivery(*connection, row.key, state));
  const auto stored = read_services(*connection).value();
  ASSERT_EQ(stored.size(), 1U);
  const DeliveryState& read = stored.front().delivery;
  EXPECT_EQ(read.status, state.status);
  EXPECT_EQ(read.acknowledged, state.acknowledged);
  EXPECT_EQ(read.transaction, state.transaction);
  EXPECT_EQ(read.frozen_through, state.frozen_through);
  EXPECT_EQ(read.attempts, state.attempts);
  EXPECT_EQ(read.retry_interval, state.retry_interval);
  EXPECT_EQ(read.next_attempt_at, state.next_attempt_at);
  EXPECT_EQ(read.last_error, state.last_error);

  const StreamKey stream = insert_stream(*connection, "s", "matrix", wall_time(1)).value();
  ASSERT_TRUE(set_sorted_through(*connection, stream, StreamId{5}));
  ASSERT_TRUE(set_dropped_through(*connection, stream, StreamId{4}));
  const auto streams = read_streams(*connection).value();
  EXPECT_EQ(streams.front().sorted_through, StreamId{5});
  EXPECT_EQ(streams.front().dropped_through, StreamId{4});
}

TEST_F(SqliteDatabaseTest, an_inbox_block_of_a_deleted_service_is_not_stored) {
  const auto database = SqliteDatabase::open(settings()).value();
  const auto connection = database->connect(Access::read_write).value();
  const InboxBlock block{.first_seq = InboxSeq{1},
                         .last_seq = InboxSeq{1},
                         .stream = StreamKey{1},
                         .first_id = StreamId{1},
                         .positions = {}};
  ASSERT_TRUE(insert_inbox_block(*connection, ServiceKey{1}, block));
  EXPECT_TRUE(read_inbox_ends(*connection).value().empty());
}

TEST_F(SqliteDatabaseTest, only_a_prefix_of_old_and_unneeded_blocks_is_dropped) {
  const auto database = SqliteDatabase::open(settings()).value();
  const auto connection = database->connect(Access::read_write).value();
  const StreamKey stream{1};
  for (std::int64_t i = 1; i <= 5; ++i) {
    const Block block{.first = StreamId{i},
                      .last = StreamId{i},
                      .fact_count = 1,
                      .appended_at = wall_time(i == 3 ? 1000 : i),
                      .codec = "raw",
                      .raw_bytes = 0,
                      .data = ""};
    ASSERT_TRUE(insert_block(*connection, stream, block));
  }
  const auto dropped = drop_blocks(*connection, stream, StreamId{5}, wall_time(100), 10).value();
  EXPECT_EQ(dropped.count, 2);
  EXPECT_EQ(dropped.last, StreamId{2});
  const auto none = drop_blocks(*connection, stream, StreamId{3}, wall_time(5000), 10).value();
  EXPECT_EQ(none.count, 0);
}

}  // namespace
}  // namespace postrider
