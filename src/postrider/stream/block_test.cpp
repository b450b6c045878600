#include "postrider/stream/block.hpp"

#include <functional>
#include <random>

#include <gtest/gtest.h>

namespace postrider {
namespace {

Chunk chunk_of(StreamId first, const std::vector<std::string>& payloads) {
  std::string buffer;
  for (const auto& payload : payloads) buffer += payload;
  auto batch = std::make_shared<FactBatch>(buffer);
  std::size_t offset = 0;
  for (const auto& payload : payloads) {
    batch->add_payload(offset, payload.size());
    offset += payload.size();
  }
  return {first, 0, static_cast<std::uint32_t>(payloads.size()), wall_time(1000), batch};
}

std::vector<std::pair<StreamId, std::string>> facts_of(const std::vector<Chunk>& chunks) {
  std::vector<std::pair<StreamId, std::string>> facts;
  for (const Chunk& chunk : chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      facts.emplace_back(id, chunk.payload(id));
    }
  }
  return facts;
}

std::vector<std::pair<StreamId, std::string>> facts_of(const std::vector<Block>& blocks) {
  std::vector<std::pair<StreamId, std::string>> facts;
  for (const Block& block : blocks) {
    const auto part = facts_of(unpack_block(block).value());
    EXPECT_EQ(part.front().first, block.first);
    EXPECT_EQ(part.back().first, block.last);
    facts.insert(facts.end(), part.begin(), part.end());
  }
  return facts;
}

TEST(Block, round_trips_several_chunks_with_gaps) {
  const std::vector<Chunk> chunks = {chunk_of(StreamId{7}, {"{}", "{\"a\":1}"}),
                                     chunk_of(StreamId{9}, {"[]"}),
                                     chunk_of(StreamId{100}, {"{\"b\":2}", "x"})};
  const auto blocks = pack_blocks(chunks);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks.front().fact_count, 5);
  EXPECT_EQ(facts_of(blocks), facts_of(chunks));
}

TEST(Block, repetitive_facts_are_compressed_and_random_ones_are_not) {
  const auto repetitive = pack_blocks(std::vector{chunk_of(StreamId{1}, {std::string(5000, 'a')})});
  EXPECT_EQ(repetitive.front().codec, "zstd");
  EXPECT_LT(repetitive.front().data.size(), 500U);

  std::mt19937_64 random(1);
  std::string noise;
  for (int i = 0; i < 5000; ++i) noise += static_cast<char>(random());
  const auto incompressible = pack_blocks(std::vector{chunk_of(StreamId{1}, {noise})});
  EXPECT_EQ(incompressible.front().codec, "raw");
  EXPECT_EQ(facts_of(incompressible).front().second, noise);
}

TEST(Block, is_bounded_but_never_splits_a_fact) {
  const std::string large(block_payload_bytes_max + 1, 'l');
  const std::string half(block_payload_bytes_max / 2, 'h');
  const std::vector<Chunk> chunks = {chunk_of(StreamId{1}, {"{}", large, half, half, half})};
  const auto blocks = pack_blocks(chunks);
  std::vector<std::int64_t> counts;
  for (const Block& block : blocks) counts.push_back(block.fact_count);
  EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 1, 2, 1}));
  EXPECT_EQ(facts_of(blocks), facts_of(chunks));
}

TEST(Block, of_less_than_a_kibibyte_is_not_compressed) {
  // Beside the fact it holds the numbers of runs and facts, its length, and where it is.
  const auto of_bytes = [](std::size_t bytes) {
    const auto blocks =
        pack_blocks(std::vector{chunk_of(StreamId{1}, {std::string(bytes - 5, 'a')})});
    EXPECT_EQ(blocks.front().raw_bytes, bytes);
    EXPECT_EQ(facts_of(blocks).front().second.size(), bytes - 5);
    return blocks.front().codec;
  };
  EXPECT_EQ(of_bytes(1023), "raw");
  EXPECT_EQ(of_bytes(1024), "zstd");
}

TEST(Block, of_any_length_that_compresses_is_read_again) {
  for (std::size_t length = 1; length < 200; ++length) {
    const std::string payload(length, 'x');
    const auto block = pack_blocks(std::vector{chunk_of(StreamId{1}, {payload})}).front();
    const auto chunks = unpack_block(block);
    ASSERT_TRUE(chunks) << length << " in " << block.codec;
    EXPECT_EQ(chunks->front().payload(StreamId{1}), payload);
  }
}

TEST(Block, ids_end_one_before_the_largest_number) {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(unpack_block(pack_blocks(std::vector{chunk_of(StreamId{largest - 1}, {"{}"})})[0]));
  Block beyond = pack_blocks(std::vector{chunk_of(StreamId{largest - 1}, {"{}"})})[0];
  beyond.first = beyond.last = StreamId{largest};
  EXPECT_FALSE(unpack_block(beyond));
}

TEST(Block, damaged_bytes_are_an_error_and_never_a_crash) {
  const Block good = pack_blocks(std::vector{chunk_of(StreamId{5}, {"{\"a\":1}", "{}"}),
                                             chunk_of(StreamId{20}, {std::string(300, 'x')})})
                         .front();
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    Block bad = good;
    if (round % 3 == 0) bad.codec = "raw";
    const auto at = random() % bad.data.size();
    if (round % 2 == 0) {
      bad.data.resize(at);
    } else {
      bad.data[at] = static_cast<char>(random());
    }
    const auto result = unpack_block(bad);
    if (!result) {
      EXPECT_EQ(result.error().code, Code::storage_failed);
    }
  }
  Block reversed = good;
  std::swap(reversed.first, reversed.last);
  EXPECT_FALSE(unpack_block(reversed));
  Block unknown = good;
  unknown.codec = "lz77";
  EXPECT_FALSE(unpack_block(unknown));
  Block empty = good;
  empty.codec = "raw";
  empty.data = std::string(1, '\0');
  empty.raw_bytes = 1;
  empty.fact_count = 0;
  EXPECT_FALSE(unpack_block(empty)) << "a block without facts is none";
}

TEST(Block, whatever_is_altered_of_it_is_noticed) {
  const Block stored = pack_blocks(std::vector{chunk_of(StreamId{7}, {"{\"n\":1}", "{}"})}).front();
  ASSERT_TRUE(unpack_block(stored));
  const auto altered = [&stored](const std::function<void(Block&)>& alter) {
    Block block = stored;
    alter(block);
    return unpack_block(block);
  };
  const auto payload = altered([](Block& block) { block.data.back() = ']'; });
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code, Code::storage_failed);
  EXPECT_NE(payload.error().detail.find("block of facts 7 to 8"), std::string::npos);
  EXPECT_FALSE(altered([](Block& block) { block.appended_at = wall_time(1001); }));
  EXPECT_FALSE(altered([](Block& block) {
    block.first = StreamId{17};
    block.last = StreamId{18};
  }));
}

TEST(Block, one_that_was_stored_before_there_were_checksums_is_read_as_it_is) {
  Block stored = pack_blocks(std::vector{chunk_of(StreamId{7}, {"{\"n\":1}"})}).front();
  ASSERT_TRUE(stored.checksum);
  stored.checksum.reset();
  EXPECT_TRUE(unpack_block(stored));
  stored.data.back() = ']';
  EXPECT_TRUE(unpack_block(stored));
}

}  // namespace
}  // namespace postrider
