#include "postrider/store/streams.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredStreams : public StoreTest {};

TEST_F(StoredStreams, a_stream_begins_before_its_first_fact_and_keeps_its_positions) {
  const StreamKey a = put_stream(*connection, "a", "plain", wall_time(1)).value().key;
  const StreamKey b = put_stream(*connection, "b", "plain", wall_time(1)).value().key;
  ASSERT_TRUE(set_sorted_through(*connection, b, StreamId{5}, 4));
  ASSERT_TRUE(set_dropped_through(*connection, b, StreamId{4}));
  const auto rows = read_streams(*connection).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].key, a);
  EXPECT_EQ(rows[0].name, "a");
  EXPECT_EQ(rows[0].format, "plain");
  EXPECT_EQ(rows[0].sorted_through, StreamId{0});
  EXPECT_EQ(rows[0].dropped_through, StreamId{0});
  EXPECT_EQ(rows[1].sorted_through, StreamId{5});
  EXPECT_EQ(rows[1].dropped_through, StreamId{4});
}

TEST_F(StoredStreams, a_name_belongs_to_the_stream_that_had_it_first) {
  const StreamKey first = put_stream(*connection, "a", "plain", wall_time(1)).value().key;
  ASSERT_TRUE(set_sorted_through(*connection, first, StreamId{5}, 4));
  const StreamRow again = put_stream(*connection, "a", "other", wall_time(2)).value();
  EXPECT_EQ(again.key, first);
  EXPECT_EQ(again.format, "plain");
  EXPECT_EQ(again.sorted_through, StreamId{5});
}

}  // namespace
}  // namespace postrider
