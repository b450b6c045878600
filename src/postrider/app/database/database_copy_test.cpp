#include "postrider/app/database/database_copy.hpp"

#include <set>

#include "postrider/app/database/copied_table.hpp"
#include "postrider/matrix/rooms.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/idempotency.hpp"
#include "postrider/store/streams.hpp"
#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class DatabaseCopyTest : public StoreTest {
 protected:
  static constexpr int block_count = 300;
  static inline const DeliveryCursor cursor{.acknowledged = StreamId{2},
                                            .transaction = TransactionNumber{7},
                                            .frozen = {StreamId{4}, StreamId{6}},
                                            .delivered = 12};

  void SetUp() override {
    const StreamKey events = put_stream(*connection, "events", "matrix", wall_time(1)).value().key;
    for (int i = 0; i < block_count; ++i) {
      Block block = block_of(StreamId{3 * i + 1}, StreamId{3 * i + 3});
      block.data = std::string(static_cast<std::size_t>(i), static_cast<char>(i));
      ASSERT_TRUE(insert_block(*connection, events, block));
    }
    ASSERT_TRUE(set_sorted_through(*connection, events, StreamId{50}, 3));
    const ServiceKey service = add_service("ä service");
    add_service("b");
    const InboxBlock inbox_block = inbox_block_of(StreamId{1}, StreamId{4});
    ASSERT_TRUE(insert_inbox_block(*connection, service, events, inbox_block));
    ASSERT_TRUE(put_cursor(*connection, service, events, cursor));
    ASSERT_TRUE(fold_decisions(*connection, events, StreamId{30}));
    ASSERT_TRUE(insert_decisions(*connection, events, decisions_of(StreamId{30}, StreamId{50})));
    DeliveryState down;
    down.status = DeliveryStatus::down;
    down.next_attempt_at = wall_time(77);
    down.last_error = "refused";
    ASSERT_TRUE(update_delivery(*connection, service, down));
    for (const char* user : {"@a:x", "@B:x", "@ä:x", ""}) {
      ASSERT_TRUE(put_member(*connection, events, "!r", user));
    }
    ASSERT_TRUE(put_alias(*connection, events, "!r", "s", "#a:x"));
    const KeyedAppend append{"k", std::string(32, '\0'), StreamId{1}, StreamId{2}, 2, wall_time(5)};
    ASSERT_TRUE(insert_keyed_append(*connection, events, append, {}));
  }

  Result<std::int64_t> copy(const CopyWatch& watch = [](const CopyProgress&) { return true; }) {
    return copy_database(*connection, *target, watch);
  }
  void expect_the_same() {
    for (const CopiedTable& table : copied_tables()) {
      EXPECT_EQ(count_rows(*target, table).value(), count_rows(*connection, table).value())
          << table.name;
    }
    const auto services = read_services(*target).value();
    ASSERT_EQ(services.size(), 2U);
    EXPECT_EQ(services[0].row.id, "ä service");
    EXPECT_EQ(services[0].delivery.next_attempt_at, wall_time(77));
    const auto blocks = read_blocks(*target, StreamKey{1}, StreamId{0}, 1000).value();
    ASSERT_EQ(blocks.size(), static_cast<std::size_t>(block_count));
    EXPECT_EQ(blocks.back().data, std::string(299, static_cast<char>(299)));
    EXPECT_EQ(read_streams(*target).value().front().sorted_through, StreamId{50});
    const auto cursors = read_cursors(*target).value();
    ASSERT_EQ(cursors.size(), 1U);
    EXPECT_EQ(cursors[0].cursor, cursor);
    const auto decisions = read_decisions(*target).value();
    ASSERT_EQ(decisions.size(), 1U);
    EXPECT_EQ(decisions[0].compacted_through, StreamId{30});
    ASSERT_EQ(decisions[0].rows.size(), 1U);
    EXPECT_EQ(decisions[0].rows[0].through, StreamId{50});
    EXPECT_EQ(decisions[0].rows[0].data, decisions_of({}, {}).data);
  }

  TemporaryDatabase target_database;
  std::unique_ptr<SqlConnection> target = target_database.connect_writer();
};

TEST_F(DatabaseCopyTest, holds_what_the_source_holds) {
  const auto rows = copy();
  ASSERT_TRUE(rows) << rows.error().detail;
  EXPECT_EQ(*rows, 1 + block_count + 2 + 2 + 1 + 1 + 1 + 4 + 1 + 1);
  expect_the_same();
}

TEST_F(DatabaseCopyTest, goes_on_where_it_was_interrupted) {
  int interruptions = 0;
  for (int steps = 1;; ++steps) {
    int left = steps % 3 + 2;
    const auto copied = copy([&left](const CopyProgress&) { return --left > 0; });
    if (copied) break;
    ASSERT_EQ(copied.error().code, Code::stopping);
    ++interruptions;
    if (interruptions > 20) break;
  }
  EXPECT_GT(interruptions, 3);
  ASSERT_TRUE(copy());
  expect_the_same();
}

TEST_F(DatabaseCopyTest, says_how_far_it_is) {
  std::int64_t last = -1;
  std::int64_t total = 0;
  ASSERT_TRUE(copy([&](const CopyProgress& progress) {
    EXPECT_GE(progress.copied_rows, last);
    last = progress.copied_rows;
    total = progress.total_rows;
    return true;
  }));
  EXPECT_EQ(last, total);
}

TEST_F(DatabaseCopyTest, fails_when_what_was_written_is_not_what_was_read) {
  bool done = false;
  const auto copied = copy([&](const CopyProgress& progress) {
    if (progress.copied_rows == progress.total_rows && !std::exchange(done, true)) {
      EXPECT_TRUE(target->execute_once("UPDATE blocks SET codec = 'zstd' WHERE last_id = 30"));
    }
    return true;
  });
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, Code::storage_failed);
  EXPECT_NE(copied.error().detail.find("table blocks"), std::string::npos);
}

std::set<std::string> texts_of(SqlConnection& connection, const Statement& statement) {
  std::set<std::string> texts;
  EXPECT_TRUE(connection.execute(statement, {},
                                 [&texts](const SqlRow& row) { texts.emplace(row.text(0)); }));
  return texts;
}

TEST(CopiedTables, are_all_of_the_schema_but_what_begins_anew) {
  const TemporaryFolder folder;
  const auto database =
      SqliteDatabase::open({.path = folder.file("p.db"), .size_max_bytes = 0, .vfs = {}}).value();
  const auto connection = database->connect(Database::Access::read_only).value();
  constexpr Statement columns_sql{
      "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c"
      " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT IN"
      " ('schema_version', 'newest_session', 'sessions', 'writer_positions', 'leases',"
      " 'declarations')"};
  std::set<std::string> copied = {"blocks.instance_key"};
  for (const CopiedTable& table : copied_tables()) {
    for (const CopiedColumn& column : table.columns) {
      copied.insert(fmt::format("{}.{}", table.name, column.name));
    }
  }
  EXPECT_EQ(texts_of(*connection, columns_sql), copied);
}

}  // namespace
}  // namespace postrider
