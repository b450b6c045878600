// No statement of the store may read more rows the more the database holds, but for those that
// the engine runs once, when it starts.
#include <deque>
#include <set>
#include <string>

#include "postrider/matrix/rooms.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/idempotency.hpp"
#include "postrider/store/leases.hpp"
#include "postrider/store/sessions.hpp"
#include "postrider/store/streams.hpp"
#include "postrider/store/testing/forwarding_connection.hpp"
#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class RecordingConnection final : public ForwardingConnection {
 public:
  using ForwardingConnection::execute;
  using ForwardingConnection::ForwardingConnection;

  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override {
    statements.insert(statement.sql);
    return ForwardingConnection::execute(statement, values, row);
  }

  std::set<std::string_view> statements;
};

class QueryPlan : public StoreTest {
 protected:
  std::string plan_of(std::string_view sql) {
    texts_.push_back(fmt::format("EXPLAIN QUERY PLAN {}", sql));
    statements_.push_back({texts_.back()});
    std::string plan;
    EXPECT_TRUE(connection->execute(statements_.back(), {}, [&plan](const SqlRow& row) {
      plan += row.text(3);
      plan += '\n';
    }));
    return plan;
  }

  /// The statements that run again and again, with and without something to find.
  void run_everything(SqlConnection& recording) {
    const ServiceKey service = add_service("a");
    const auto ignore_two = [](std::string_view, std::string_view) {};
    const auto ignore_three = [](std::string_view, std::string_view, std::string_view) {};
    const ServiceRow row{
        .key = service, .id = "b", .kind = {}, .document = {}, .transaction_prefix = {}};
    EXPECT_TRUE(insert_block(recording, stream, block_of(StreamId{1}, StreamId{2})));
    EXPECT_TRUE(read_blocks(recording, stream, StreamId{0}, 1));
    EXPECT_TRUE(last_stored_id(recording, stream));
    EXPECT_TRUE(find_writer(recording, stream, StreamId{1}));
    EXPECT_TRUE(drop_blocks(recording, stream, StreamId{9}, wall_time(9), 1));
    const InboxBlock inbox_block = inbox_block_of(StreamId{1}, StreamId{2});
    EXPECT_TRUE(insert_inbox_block(recording, service, stream, inbox_block));
    EXPECT_TRUE(read_inbox_blocks(recording, service, stream, StreamId{0}, 1));
    EXPECT_TRUE(last_inbox_blocks(recording, stream, {service, service}, 10));
    EXPECT_TRUE(insert_decisions(recording, stream, decisions_of(StreamId{2}, StreamId{4})));
    EXPECT_TRUE(oldest_needed(recording, stream));
    EXPECT_TRUE(drop_inbox_block(recording, service, stream, StreamId{2}));
    EXPECT_TRUE(drop_inbox_blocks(recording, service, stream, StreamId{2}));
    EXPECT_TRUE(fold_decisions(recording, stream, StreamId{4}));
    EXPECT_TRUE(read_compacted_through(recording, stream));
    EXPECT_TRUE(put_cursor(recording, service, stream, DeliveryCursor{}));
    EXPECT_TRUE(read_acknowledged(recording, stream, {service, service}));
    EXPECT_TRUE(insert_keyed_append(recording, stream, KeyedAppend{}, WallTime{}));
    EXPECT_TRUE(find_keyed_append(recording, stream, ""));
    EXPECT_TRUE(expire_keyed_appends(recording, wall_time(9), 1));
    EXPECT_TRUE(put_member(recording, stream, "!r", "@a"));
    EXPECT_TRUE(remove_member(recording, stream, "!r", "@a"));
    EXPECT_TRUE(read_members(recording, stream, ignore_two));
    EXPECT_TRUE(put_alias(recording, stream, "!r", "s", "#a"));
    EXPECT_TRUE(clear_aliases(recording, stream, "!r", "s"));
    EXPECT_TRUE(read_aliases(recording, stream, ignore_three));
    EXPECT_TRUE(insert_service(recording, row, wall_time(1)));
    EXPECT_TRUE(update_document(recording, row));
    EXPECT_TRUE(update_delivery(recording, service, DeliveryState{}));
    EXPECT_TRUE(delete_service(recording, service));
    EXPECT_TRUE(set_sorted_through(recording, stream, StreamId{1}, 0));
    EXPECT_TRUE(set_dropped_through(recording, stream, StreamId{1}));
    EXPECT_TRUE(read_dropped_through(recording, stream));
    EXPECT_TRUE(read_sorted_through(recording, stream));
    const BegunSession session = begin_session(recording, "a", wall_time(1)).value();
    EXPECT_TRUE(count_heartbeat(recording, session.instance, session.session, Error{}));
    EXPECT_TRUE(read_heartbeats(recording, session.instance, session.session));
    EXPECT_TRUE(read_newest_session(recording));
    EXPECT_TRUE(
        expire_session(recording, {session.instance, "a", session.session, 1, {}}, wall_time(2)));
    EXPECT_TRUE(put_writer_position(recording, {stream, session.instance, StreamId{1}}));
    EXPECT_TRUE(end_session(recording, session.instance, session.session, wall_time(2)));
    EXPECT_TRUE(
        forget_instance(recording, {session.instance, "a", session.session, 1, {}}, {{stream}}));
    EXPECT_TRUE(take_lease(recording, "a", SessionKey{0}, session.session));
    EXPECT_TRUE(read_lease(recording, "a"));
  }

 private:
  // Drivers find a prepared statement by its address, so no two may share one.
  std::deque<std::string> texts_;
  std::deque<Statement> statements_;
};

TEST_F(QueryPlan, every_statement_that_runs_again_and_again_uses_an_index) {
  RecordingConnection recording(*connection);
  run_everything(recording);
  EXPECT_GT(recording.statements.size(), 30U);
  for (const std::string_view sql : recording.statements) {
    const std::string plan = plan_of(sql);
    // One row without a table is SQLite's name for VALUES and for a SELECT of constants.
    std::string scans = plan;
    if (const auto at = scans.find("SCAN CONSTANT ROW"); at != std::string::npos) {
      scans.erase(at, std::string_view("SCAN CONSTANT ROW").size());
    }
    EXPECT_EQ(scans.find("SCAN"), std::string::npos) << sql << '\n' << plan;
    EXPECT_EQ(scans.find("TEMP B-TREE"), std::string::npos) << sql << '\n' << plan;
  }
}

TEST_F(QueryPlan, a_scan_would_be_seen) {
  EXPECT_NE(plan_of("SELECT * FROM blocks WHERE fact_count = 1").find("SCAN"), std::string::npos);
}

}  // namespace
}  // namespace postrider
