#include "postrider/stream/chunk_cache.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

Chunk chunk(std::int64_t first, std::uint32_t count) {
  auto batch = std::make_shared<FactBatch>(std::string(count, 'x'));
  for (std::uint32_t i = 0; i < count; ++i) batch->add_payload(i, 1);
  return {StreamId{first}, 0, count, WallTime{}, std::move(batch)};
}

const std::size_t chunk_bytes = chunk(1, 10).batch->memory_bytes();

TEST(TailCache, finds_the_chunk_of_the_first_fact_after_a_position) {
  CacheBudget budget(10 * chunk_bytes);
  TailCache cache(budget, StreamId{0});
  cache.add(chunk(1, 10));
  cache.add(chunk(11, 10));
  EXPECT_EQ(cache.find_after(StreamId{0})->first, StreamId{1});
  EXPECT_EQ(cache.find_after(StreamId{9})->first, StreamId{1});
  EXPECT_EQ(cache.find_after(StreamId{10})->first, StreamId{11});
  EXPECT_EQ(cache.find_after(StreamId{20}), nullptr);
  EXPECT_EQ(cache.next(cache.find_after(StreamId{0}))->first, StreamId{11});
  EXPECT_EQ(cache.next(cache.find_after(StreamId{10})), nullptr);
}

TEST(TailCache, knows_nothing_of_before_it_began_but_skips_ids_that_were_given_up) {
  CacheBudget budget(10 * chunk_bytes);
  TailCache cache(budget, StreamId{4});
  EXPECT_EQ(cache.find_after(StreamId{4}), nullptr);
  cache.add(chunk(5, 10));
  cache.add(chunk(20, 10));
  EXPECT_EQ(cache.find_after(StreamId{3}), nullptr);
  EXPECT_EQ(cache.find_after(StreamId{4})->first, StreamId{5});
  EXPECT_EQ(cache.find_after(StreamId{15})->first, StreamId{20});
}

TEST(TailCache, drops_the_oldest_beyond_its_size_and_no_longer_answers_for_them) {
  CacheBudget budget(2 * chunk_bytes);
  TailCache cache(budget, StreamId{0});
  for (const std::int64_t first : {1, 11, 21}) cache.add(chunk(first, 10));
  EXPECT_EQ(cache.find_after(StreamId{9}), nullptr);
  EXPECT_EQ(cache.find_after(StreamId{10})->first, StreamId{11});
  EXPECT_EQ(cache.find_after(StreamId{25})->first, StreamId{21});
}

TEST(TailCache, no_longer_answers_for_what_may_be_missing) {
  CacheBudget budget(10 * chunk_bytes);
  TailCache cache(budget, StreamId{0});
  for (const std::int64_t first : {1, 11, 21}) cache.add(chunk(first, 10));
  cache.invalidate_through(StreamId{15});
  EXPECT_EQ(cache.find_after(StreamId{15}), nullptr) << "what is left of a chunk goes too";
  EXPECT_EQ(cache.find_after(StreamId{20})->first, StreamId{21});
  cache.invalidate_through(StreamId{50});
  EXPECT_EQ(cache.find_after(StreamId{30}), nullptr);
  cache.add(chunk(61, 10));
  EXPECT_EQ(cache.find_after(StreamId{49}), nullptr);
  EXPECT_EQ(cache.find_after(StreamId{50})->first, StreamId{61});
  cache.invalidate_through(StreamId{40});
  EXPECT_EQ(cache.find_after(StreamId{50})->first, StreamId{61});
}

TEST(TailCache, keeps_no_chunk_that_is_larger_than_itself) {
  CacheBudget budget(chunk_bytes / 2);
  TailCache cache(budget, StreamId{0});
  cache.add(chunk(1, 10));
  EXPECT_EQ(cache.find_after(StreamId{0}), nullptr);
  EXPECT_EQ(cache.find_after(StreamId{5}), nullptr);
}

TEST(ChunkCache, answers_from_the_position_that_it_was_told_no_fact_follows) {
  CacheBudget budget(10 * chunk_bytes);
  ChunkCache cache(budget);
  cache.add(StreamId{3}, {chunk(7, 10)});
  EXPECT_EQ(cache.find_after(StreamId{2}), nullptr);
  ASSERT_NE(cache.find_after(StreamId{3}), nullptr);
  EXPECT_EQ(cache.find_after(StreamId{15})->front().first, StreamId{7});
  EXPECT_EQ(cache.find_after(StreamId{16}), nullptr);
}

TEST(ChunkCache, drops_what_was_used_longest_ago) {
  CacheBudget budget(2 * chunk_bytes);
  ChunkCache cache(budget);
  cache.add(StreamId{0}, {chunk(1, 10)});
  cache.add(StreamId{10}, {chunk(11, 10)});
  EXPECT_NE(cache.find_after(StreamId{0}), nullptr);
  cache.add(StreamId{20}, {chunk(21, 10)});
  EXPECT_NE(cache.find_after(StreamId{0}), nullptr);
  EXPECT_EQ(cache.find_after(StreamId{10}), nullptr);
  EXPECT_NE(cache.find_after(StreamId{20}), nullptr);
}

TEST(ChunkCache, a_batch_that_several_chunks_share_counts_once) {
  CacheBudget budget(chunk_bytes);
  ChunkCache cache(budget);
  Chunk front = chunk(1, 10);
  Chunk back = front;
  front.count = 5;
  back.first = StreamId{8};
  back.begin = 5;
  back.count = 5;
  cache.add(StreamId{0}, {front, back});
  ASSERT_NE(cache.find_after(StreamId{0}), nullptr);
  EXPECT_EQ(cache.find_after(StreamId{0})->size(), 2U);
}

TEST(CacheBudget, caches_that_share_it_drop_what_is_oldest_of_all) {
  CacheBudget budget(3 * chunk_bytes);
  TailCache busy(budget, StreamId{0});
  TailCache quiet(budget, StreamId{0});
  busy.add(chunk(1, 10));
  quiet.add(chunk(1, 10));
  busy.add(chunk(11, 10));
  EXPECT_NE(busy.find_after(StreamId{0}), nullptr);
  busy.add(chunk(21, 10));
  EXPECT_EQ(busy.find_after(StreamId{0}), nullptr);
  EXPECT_NE(quiet.find_after(StreamId{0}), nullptr);
  busy.add(chunk(31, 10));
  EXPECT_EQ(quiet.find_after(StreamId{0}), nullptr);
  EXPECT_EQ(quiet.find_after(StreamId{10}), nullptr);
  EXPECT_TRUE(quiet.reaches(StreamId{10})) << "without a gap up to its end";
  EXPECT_EQ(budget.bytes(), 3 * chunk_bytes);
}

TEST(CacheBudget, what_is_used_in_one_cache_outlasts_what_is_not_in_another) {
  CacheBudget budget(2 * chunk_bytes);
  ChunkCache used(budget);
  ChunkCache unused(budget);
  used.add(StreamId{0}, {chunk(1, 10)});
  unused.add(StreamId{0}, {chunk(1, 10)});
  EXPECT_NE(used.find_after(StreamId{0}), nullptr);
  used.add(StreamId{10}, {chunk(11, 10)});
  EXPECT_NE(used.find_after(StreamId{0}), nullptr);
  EXPECT_EQ(unused.find_after(StreamId{0}), nullptr);
}

TEST(CacheBudget, a_cache_that_ends_gives_back_what_it_held) {
  CacheBudget budget(10 * chunk_bytes);
  {
    TailCache tail(budget, StreamId{0});
    tail.add(chunk(1, 10));
    tail.add(chunk(11, 10));
    tail.invalidate_through(StreamId{10});
    EXPECT_EQ(budget.bytes(), chunk_bytes);
    ChunkCache blocks(budget);
    blocks.add(StreamId{0}, {chunk(1, 10)});
    EXPECT_EQ(budget.bytes(), 2 * chunk_bytes);
  }
  EXPECT_EQ(budget.bytes(), 0U);
}

}  // namespace
}  // namespace postrider
