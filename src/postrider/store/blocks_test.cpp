#include "postrider/store/blocks.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class Blocks : public StoreTest {
 protected:
  std::vector<StreamId> first_ids(StreamId after, std::int64_t count_max = 10) {
    std::vector<StreamId> ids;
    const auto blocks = read_blocks(*connection, stream, after, count_max).value();
    for (const Block& block : blocks) {
      ids.push_back(block.first);
    }
    return ids;
  }

  void insert(StreamId first, StreamId last, WallTime appended_at = wall_time(1)) {
    ASSERT_TRUE(insert_block(*connection, stream, block_of(first, last, appended_at)));
  }
};

TEST_F(Blocks, a_block_reads_back_as_it_was_written_with_every_byte) {
  insert(StreamId{1}, StreamId{3}, wall_time(77));
  const auto blocks = read_blocks(*connection, stream, StreamId{0}, 10).value();
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].first, StreamId{1});
  EXPECT_EQ(blocks[0].last, StreamId{3});
  EXPECT_EQ(blocks[0].fact_count, 3);
  EXPECT_EQ(blocks[0].appended_at, wall_time(77));
  EXPECT_EQ(blocks[0].codec, "raw");
  EXPECT_EQ(blocks[0].raw_bytes, 3);
  EXPECT_EQ(blocks[0].data, std::string("\0x\xff", 3));
  EXPECT_FALSE(blocks[0].checksum);
  Block next = block_of(StreamId{4}, StreamId{4});
  next.checksum = -5;
  ASSERT_TRUE(insert_block(*connection, stream, next));
  EXPECT_EQ(read_blocks(*connection, stream, StreamId{3}, 1).value().front().checksum, -5);
}

TEST_F(Blocks, a_position_inside_a_block_finds_it_and_its_last_one_does_not) {
  insert(StreamId{1}, StreamId{3});
  insert(StreamId{4}, StreamId{6});
  EXPECT_EQ(first_ids(StreamId{2}), (std::vector<StreamId>{StreamId{1}, StreamId{4}}));
  EXPECT_EQ(first_ids(StreamId{3}), (std::vector<StreamId>{StreamId{4}}));
  EXPECT_EQ(first_ids(StreamId{6}), (std::vector<StreamId>{}));
}

TEST_F(Blocks, no_more_than_asked_for_are_read) {
  insert(StreamId{1}, StreamId{1});
  insert(StreamId{2}, StreamId{2});
  EXPECT_EQ(first_ids(StreamId{0}, 1), (std::vector<StreamId>{StreamId{1}}));
}

TEST_F(Blocks, streams_do_not_see_each_others_blocks) {
  insert(StreamId{1}, StreamId{1});
  EXPECT_TRUE(read_blocks(*connection, StreamKey{2}, StreamId{0}, 10).value().empty());
  EXPECT_EQ(last_stored_id(*connection, StreamKey{2}).value(), std::nullopt);
  EXPECT_EQ(last_stored_id(*connection, stream).value(), StreamId{1});
}

TEST_F(Blocks, who_wrote_a_fact_is_found_as_long_as_it_is_kept) {
  insert(StreamId{2}, StreamId{4});
  for (const std::int64_t id : {2, 3, 4}) {
    EXPECT_EQ(find_writer(*connection, stream, StreamId{id}).value(), InstanceKey{7}) << id;
  }
  for (const std::int64_t id : {1, 5}) {
    EXPECT_EQ(find_writer(*connection, stream, StreamId{id}).value(), std::nullopt) << id;
  }
}

TEST_F(Blocks, the_same_position_is_not_stored_twice) {
  insert(StreamId{1}, StreamId{2});
  EXPECT_FALSE(insert_block(*connection, stream, block_of(StreamId{2}, StreamId{2})));
}

TEST_F(Blocks, a_block_is_dropped_only_when_all_of_it_is_below_the_bound) {
  insert(StreamId{1}, StreamId{3});
  EXPECT_EQ(drop_blocks(*connection, stream, StreamId{3}, wall_time(9), 10).value().count, 0);
  const auto dropped = drop_blocks(*connection, stream, StreamId{4}, wall_time(9), 10).value();
  EXPECT_EQ(dropped.count, 1);
  EXPECT_EQ(dropped.last, StreamId{3});
}

TEST_F(Blocks, a_block_of_just_the_age_to_keep_stays) {
  insert(StreamId{1}, StreamId{1}, wall_time(50));
  EXPECT_EQ(drop_blocks(*connection, stream, StreamId{9}, wall_time(50), 10).value().count, 0);
  EXPECT_EQ(drop_blocks(*connection, stream, StreamId{9}, wall_time(51), 10).value().count, 1);
}

TEST_F(Blocks, behind_a_young_block_an_old_one_stays_so_that_only_a_prefix_goes) {
  for (std::int64_t i = 1; i <= 5; ++i) {
    insert(StreamId{i}, StreamId{i}, wall_time(i == 3 ? 1000 : i));
  }
  const auto dropped = drop_blocks(*connection, stream, StreamId{9}, wall_time(100), 10).value();
  EXPECT_EQ(dropped.count, 2);
  EXPECT_EQ(dropped.last, StreamId{2});
  EXPECT_EQ(first_ids(StreamId{0}), (std::vector<StreamId>{StreamId{3}, StreamId{4}, StreamId{5}}));
}

TEST_F(Blocks, a_step_drops_no_more_than_asked_for) {
  for (std::int64_t i = 1; i <= 3; ++i) insert(StreamId{i}, StreamId{i});
  const auto dropped = drop_blocks(*connection, stream, StreamId{9}, wall_time(100), 2).value();
  EXPECT_EQ(dropped.count, 2);
  EXPECT_EQ(first_ids(StreamId{0}), (std::vector<StreamId>{StreamId{3}}));
}

}  // namespace
}  // namespace postrider
