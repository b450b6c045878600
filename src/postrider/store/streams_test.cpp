#include "postrider/store/streams.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredStreams : public StoreTest {};

TEST_F(StoredStreams, a_stream_begins_before_its_first_fact_and_keeps_its_positions) {
  const StreamKey a = insert_stream(*connection, "a", "matrix", wall_time(1)).value();
  const StreamKey b = insert_stream(*connection, "b", "matrix", wall_time(1)).value();
  ASSERT_TRUE(set_sorted_through(*connection, b, StreamId{5}));
  ASSERT_TRUE(set_dropped_through(*connection, b, StreamId{4}));
  const auto rows = read_streams(*connection).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].key, a);
  EXPECT_EQ(rows[0].name, "a");
  EXPECT_EQ(rows[0].format, "matrix");
  EXPECT_EQ(rows[0].sorted_through, StreamId{0});
  EXPECT_EQ(rows[0].dropped_through, StreamId{0});
  EXPECT_EQ(rows[1].sorted_through, StreamId{5});
  EXPECT_EQ(rows[1].dropped_through, StreamId{4});
}

TEST_F(StoredStreams, two_streams_never_share_a_name) {
  ASSERT_TRUE(insert_stream(*connection, "a", "matrix", wall_time(1)));
  EXPECT_FALSE(insert_stream(*connection, "a", "matrix", wall_time(1)));
}

}  // namespace
}  // namespace postrider
