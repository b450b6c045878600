#include "postrider/store/inbox.hpp"

#include "postrider/store/streams.hpp"
#include "postrider/store/testing/forwarding_connection.hpp"
#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

/// Does something behind the first statement.
class InterruptedConnection final : public ForwardingConnection {
 public:
  InterruptedConnection(SqlConnection& inner, std::function<void()> interrupt)
      : ForwardingConnection(inner), interrupt_(std::move(interrupt)) {}

  using ForwardingConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override {
    auto done = ForwardingConnection::execute(statement, values, row);
    if (interrupt_) std::exchange(interrupt_, {})();
    return done;
  }

 private:
  std::function<void()> interrupt_;
};

class StoredInbox : public StoreTest {
 protected:
  static constexpr StreamKey other_stream{2};

  void insert(ServiceKey service, const InboxBlock& block, StreamKey of = stream) {
    ASSERT_TRUE(insert_inbox_block(*connection, service, of, block));
  }
  void insert(ServiceKey service, StreamId first, StreamId last) {
    insert(service, inbox_block_of(first, last));
  }

  using Positions = std::vector<std::int64_t>;
  /// The first positions of the blocks.
  Positions firsts(ServiceKey service, StreamId after = {}, std::int64_t count_max = 10,
                   StreamKey of = stream) {
    Positions firsts;
    const auto blocks = read_inbox_blocks(*connection, service, of, after, count_max).value();
    for (const InboxBlock& block : blocks) firsts.push_back(block.first.value);
    return firsts;
  }
  std::optional<InboxBlock> last_block(ServiceKey service, std::int64_t fact_count_below = 100) {
    auto blocks =
        last_inbox_blocks(*connection, stream, {service, service}, fact_count_below).value();
    return blocks.empty() ? std::nullopt : std::optional(std::move(blocks.at(service)));
  }
  std::optional<StreamId> needed() { return oldest_needed(*connection, stream).value(); }

  ServiceKey a = add_service("a");
  ServiceKey b = add_service("b");
};

TEST_F(StoredInbox, a_block_reads_back_as_it_was_written_with_every_byte) {
  const std::string bytes("\0\1\xff", 3);
  insert(a, {.first = StreamId{7},
             .last = StreamId{400},
             .fact_count = 4,
             .appended_at = wall_time(99),
             .positions = bytes});
  const auto blocks = read_inbox_blocks(*connection, a, stream, StreamId{0}, 10).value();
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].first, StreamId{7});
  EXPECT_EQ(blocks[0].last, StreamId{400});
  EXPECT_EQ(blocks[0].fact_count, 4);
  EXPECT_EQ(blocks[0].appended_at, wall_time(99));
  EXPECT_EQ(blocks[0].positions, bytes);
}

TEST_F(StoredInbox, reading_begins_with_the_block_that_holds_a_position_after) {
  insert(a, StreamId{1}, StreamId{3});
  insert(a, StreamId{4}, StreamId{5});
  insert(a, StreamId{9}, StreamId{9});
  EXPECT_EQ(firsts(a, StreamId{0}), (Positions{1, 4, 9}));
  EXPECT_EQ(firsts(a, StreamId{2}), (Positions{1, 4, 9}));
  EXPECT_EQ(firsts(a, StreamId{3}), (Positions{4, 9}));
  EXPECT_EQ(firsts(a, StreamId{7}), (Positions{9}));
  EXPECT_EQ(firsts(a, StreamId{9}), (Positions{}));
}

TEST_F(StoredInbox, no_more_blocks_than_asked_for_are_read) {
  insert(a, StreamId{1}, StreamId{1});
  insert(a, StreamId{2}, StreamId{2});
  insert(a, StreamId{3}, StreamId{3});
  EXPECT_EQ(firsts(a, StreamId{1}, 1), (Positions{2}));
}

TEST_F(StoredInbox, services_and_streams_do_not_see_each_others_blocks) {
  insert(a, StreamId{1}, StreamId{1});
  insert(a, inbox_block_of(StreamId{2}, StreamId{2}), other_stream);
  insert(b, StreamId{3}, StreamId{3});
  EXPECT_EQ(firsts(a), (Positions{1}));
  EXPECT_EQ(firsts(a, {}, 10, other_stream), (Positions{2}));
  EXPECT_EQ(firsts(b), (Positions{3}));
  EXPECT_EQ(firsts(b, {}, 10, other_stream), (Positions{}));
  EXPECT_EQ(last_block(a).value().last, StreamId{1});
}

TEST_F(StoredInbox, the_last_block_is_found_where_there_is_one) {
  EXPECT_FALSE(last_block(a));
  insert(a, StreamId{1}, StreamId{3});
  insert(a, inbox_block_of(StreamId{5}, StreamId{8}, wall_time(9)));
  const auto last = last_block(a);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->first, StreamId{5});
  EXPECT_EQ(last->last, StreamId{8});
  EXPECT_EQ(last->fact_count, 4);
  EXPECT_EQ(last->appended_at, wall_time(9));
  EXPECT_EQ(last->positions, std::string(3, '\0'));
}

TEST_F(StoredInbox, last_blocks_are_those_of_the_services_asked_for_that_are_not_full) {
  const ServiceKey c = add_service("c");
  for (const ServiceKey service : {a, b, c}) {
    insert(service, StreamId{1}, StreamId{2});
    insert(service, StreamId{5}, StreamId{8});
  }
  insert(c, inbox_block_of(StreamId{9}, StreamId{9}), other_stream);
  const auto blocks = last_inbox_blocks(*connection, stream, {b, c}, 5).value();
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks.at(b).last, StreamId{8});
  EXPECT_EQ(blocks.at(c).last, StreamId{8});
  EXPECT_TRUE(last_block(a, 5));
  EXPECT_FALSE(last_block(a, 4));
}

TEST_F(StoredInbox, a_block_is_begun_when_some_of_it_is_acknowledged_and_some_is_not) {
  for (const ServiceKey service : {a, b}) {
    insert(service, StreamId{1}, StreamId{3});
    insert(service, StreamId{4}, StreamId{6});
  }
  insert(a, inbox_block_of(StreamId{1}, StreamId{6}), other_stream);
  const auto begun = [this](std::int64_t acknowledged) {
    DeliveryCursor cursor;
    cursor.acknowledged = StreamId{acknowledged};
    EXPECT_TRUE(put_cursor(*connection, a, stream, cursor));
    return read_begun_inbox_blocks(*connection).value();
  };
  EXPECT_TRUE(begun(0).empty());
  EXPECT_TRUE(begun(3).empty());
  EXPECT_TRUE(begun(6).empty());
  const auto last = begun(5);
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].service, a);
  EXPECT_EQ(last[0].stream, stream);
  EXPECT_EQ(last[0].acknowledged, StreamId{5});
  EXPECT_EQ(last[0].block.first, StreamId{4});
  EXPECT_EQ(last[0].block.fact_count, 3);
}

TEST_F(StoredInbox, one_block_is_dropped_by_its_last_position) {
  insert(a, StreamId{1}, StreamId{3});
  insert(a, StreamId{4}, StreamId{6});
  insert(a, inbox_block_of(StreamId{1}, StreamId{6}), other_stream);
  insert(b, StreamId{1}, StreamId{6});
  ASSERT_TRUE(drop_inbox_block(*connection, a, stream, StreamId{5}));
  EXPECT_EQ(firsts(a), (Positions{1, 4}));
  ASSERT_TRUE(drop_inbox_block(*connection, a, stream, StreamId{6}));
  EXPECT_EQ(firsts(a), (Positions{1}));
  EXPECT_EQ(firsts(a, {}, 10, other_stream), (Positions{1}));
  EXPECT_EQ(firsts(b), (Positions{1}));
}

TEST_F(StoredInbox, dropping_keeps_a_block_with_a_position_that_is_still_needed) {
  insert(a, StreamId{1}, StreamId{3});
  insert(a, StreamId{4}, StreamId{6});
  insert(a, inbox_block_of(StreamId{1}, StreamId{3}), other_stream);
  insert(b, StreamId{1}, StreamId{3});
  ASSERT_TRUE(drop_inbox_blocks(*connection, a, stream, StreamId{2}));
  EXPECT_EQ(firsts(a), (Positions{1, 4}));
  ASSERT_TRUE(drop_inbox_blocks(*connection, a, stream, StreamId{3}));
  EXPECT_EQ(firsts(a), (Positions{4}));
  ASSERT_TRUE(drop_inbox_blocks(*connection, a, stream, StreamId{9}));
  EXPECT_EQ(firsts(a), (Positions{}));
  EXPECT_EQ(firsts(a, {}, 10, other_stream), (Positions{1}));
  EXPECT_EQ(firsts(b), (Positions{1}));
}

TEST_F(StoredInbox, the_ends_tell_how_many_facts_each_inbox_holds_and_the_oldest_time) {
  insert(a, inbox_block_of(StreamId{1}, StreamId{3}, wall_time(20)));
  insert(a, inbox_block_of(StreamId{4}, StreamId{9}, wall_time(10)));
  insert(a, inbox_block_of(StreamId{1}, StreamId{12'345}, wall_time(30)), other_stream);
  const auto ends = read_inbox_ends(*connection).value();
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[0].service, a);
  EXPECT_EQ(ends[0].stream, stream);
  EXPECT_EQ(ends[0].fact_count, 9);
  EXPECT_EQ(ends[0].oldest_appended_at, wall_time(10));
  EXPECT_EQ(ends[1].service, a);
  EXPECT_EQ(ends[1].stream, other_stream);
  EXPECT_EQ(ends[1].fact_count, 12'345);
  EXPECT_EQ(ends[1].oldest_appended_at, wall_time(30));
}

TEST_F(StoredInbox, the_oldest_needed_position_is_the_smallest_of_all_inboxes_of_the_stream) {
  EXPECT_EQ(needed(), std::nullopt);
  insert(b, inbox_block_of(StreamId{1}, StreamId{1}), other_stream);
  EXPECT_EQ(needed(), std::nullopt);
  insert(a, StreamId{8}, StreamId{8});
  insert(b, StreamId{5}, StreamId{6});
  EXPECT_EQ(needed(), StreamId{5});
}

TEST_F(StoredInbox, what_is_decided_and_not_folded_is_needed_too) {
  ASSERT_TRUE(insert_decisions(*connection, other_stream, decisions_of(StreamId{0}, StreamId{9})));
  EXPECT_EQ(needed(), std::nullopt);
  ASSERT_TRUE(insert_decisions(*connection, stream, decisions_of(StreamId{9}, StreamId{12})));
  ASSERT_TRUE(insert_decisions(*connection, stream, decisions_of(StreamId{6}, StreamId{9})));
  EXPECT_EQ(needed(), StreamId{7});
  insert(a, StreamId{8}, StreamId{8});
  EXPECT_EQ(needed(), StreamId{7});
  insert(b, StreamId{5}, StreamId{5});
  EXPECT_EQ(needed(), StreamId{5});
}

TEST_F(StoredInbox, what_is_needed_is_not_missed_while_decisions_are_folded_into_a_block) {
  ASSERT_TRUE(insert_decisions(*connection, stream, decisions_of(StreamId{4}, StreamId{6})));
  InterruptedConnection interrupted(*connection, [this] {
    insert(a, StreamId{5}, StreamId{6});
    ASSERT_TRUE(fold_decisions(*connection, stream, StreamId{6}));
  });
  EXPECT_EQ(oldest_needed(interrupted, stream).value(), StreamId{5});
  EXPECT_EQ(needed(), StreamId{5});
}

TEST_F(StoredInbox, an_inbox_block_of_a_deleted_service_is_not_stored) {
  ASSERT_TRUE(delete_service(*connection, a));
  insert(a, StreamId{1}, StreamId{1});
  EXPECT_TRUE(read_inbox_ends(*connection).value().empty());
}

}  // namespace
}  // namespace postrider
