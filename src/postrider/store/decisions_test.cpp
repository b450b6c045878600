#include "postrider/store/decisions.hpp"

#include "postrider/store/streams.hpp"
#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredDecisionLog : public StoreTest {
 protected:
  void insert(StreamKey of, StreamId after, StreamId through) {
    ASSERT_TRUE(insert_decisions(*connection, of, decisions_of(after, through)));
  }
  std::vector<StoredDecisions> read() { return read_decisions(*connection).value(); }

  using Positions = std::vector<std::int64_t>;
  static Positions ends_of(const StoredDecisions& decisions) {
    Positions ends;
    for (const DecisionRow& row : decisions.rows) ends.push_back(row.through.value);
    return ends;
  }

  StreamKey a = put_stream(*connection, "a", "plain", wall_time(1)).value().key;
  StreamKey b = put_stream(*connection, "b", "plain", wall_time(1)).value().key;
};

TEST_F(StoredDecisionLog, a_row_reads_back_as_it_was_written_with_every_byte) {
  const DecisionRow row{.after = StreamId{5'000'000'000},
                        .through = StreamId{5'000'000'009},
                        .entries = 6'000'000'000,
                        .appended_at = wall_time(77),
                        .data = {"\0x\xff", 3}};
  ASSERT_TRUE(insert_decisions(*connection, a, row));
  const auto stored = read();
  ASSERT_EQ(stored.front().rows.size(), 1U);
  const DecisionRow& found = stored.front().rows.front();
  EXPECT_EQ(found.after, row.after);
  EXPECT_EQ(found.through, row.through);
  EXPECT_EQ(found.entries, row.entries);
  EXPECT_EQ(found.appended_at, row.appended_at);
  EXPECT_EQ(found.data, row.data);
}

TEST_F(StoredDecisionLog, each_stream_has_its_rows_in_order_or_none) {
  insert(b, StreamId{9}, StreamId{300});
  insert(b, StreamId{0}, StreamId{4});
  insert(b, StreamId{4}, StreamId{9});
  const auto stored = read();
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[0].stream, a);
  EXPECT_EQ(stored[0].compacted_through, StreamId{0});
  EXPECT_EQ(ends_of(stored[0]), (Positions{}));
  EXPECT_EQ(stored[1].stream, b);
  EXPECT_EQ(ends_of(stored[1]), (Positions{4, 9, 300}));
}

TEST_F(StoredDecisionLog, folding_deletes_the_rows_up_to_a_position_which_the_stream_remembers) {
  for (const StreamKey of : {a, b}) {
    insert(of, StreamId{0}, StreamId{4});
    insert(of, StreamId{4}, StreamId{9});
    insert(of, StreamId{9}, StreamId{12});
  }
  ASSERT_TRUE(fold_decisions(*connection, a, StreamId{9}));
  const auto stored = read();
  EXPECT_EQ(stored[0].compacted_through, StreamId{9});
  EXPECT_EQ(ends_of(stored[0]), (Positions{12}));
  EXPECT_EQ(stored[1].compacted_through, StreamId{0});
  EXPECT_EQ(ends_of(stored[1]), (Positions{4, 9, 12}));
  EXPECT_EQ(read_compacted_through(*connection, a).value(), StreamId{9});
  EXPECT_EQ(read_compacted_through(*connection, b).value(), StreamId{0});
}

TEST_F(StoredDecisionLog, folding_keeps_a_row_that_goes_further) {
  insert(a, StreamId{0}, StreamId{4});
  ASSERT_TRUE(fold_decisions(*connection, a, StreamId{3}));
  EXPECT_EQ(ends_of(read().front()), (Positions{4}));
}

TEST_F(StoredDecisionLog, the_same_position_is_not_decided_twice) {
  insert(a, StreamId{0}, StreamId{4});
  EXPECT_FALSE(insert_decisions(*connection, a, decisions_of(StreamId{2}, StreamId{4})));
}

}  // namespace
}  // namespace postrider
