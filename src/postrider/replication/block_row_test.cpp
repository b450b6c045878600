#include "postrider/replication/block_row.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

BlockRow row_with(std::string data) {
  BlockRow row{.previous = StreamId{4},
               .newest_session = SessionKey{2},
               .index = 1,
               .count = 3,
               .block = {}};
  row.block.first = StreamId{5};
  row.block.last = StreamId{7};
  row.block.fact_count = 3;
  row.block.appended_at = wall_time(1700000000123);
  row.block.codec = "zstd";
  row.block.raw_bytes = 300;
  row.block.data = std::move(data);
  return row;
}

TEST(BlockRow, is_read_as_it_was_written) {
  for (std::size_t size = 0; size < 20; ++size) {
    std::string data;
    for (std::size_t i = 0; i < size; ++i) data += static_cast<char>(251 * i);
    const BlockRow row = row_with(data);
    const BlockRow again = parse_block_row(format_block_row(row)).value();
    EXPECT_EQ(again.previous, row.previous);
    EXPECT_EQ(again.newest_session, row.newest_session);
    EXPECT_EQ(again.index, row.index);
    EXPECT_EQ(again.count, row.count);
    EXPECT_EQ(again.block.first, row.block.first);
    EXPECT_EQ(again.block.last, row.block.last);
    EXPECT_EQ(again.block.fact_count, row.block.fact_count);
    EXPECT_EQ(again.block.appended_at, row.block.appended_at);
    EXPECT_EQ(again.block.codec, row.block.codec);
    EXPECT_EQ(again.block.raw_bytes, row.block.raw_bytes);
    EXPECT_EQ(again.block.data, data);
  }
}

TEST(BlockRow, has_a_stable_text_form) {
  EXPECT_EQ(format_block_row(row_with("ab")), R"([4,2,1,3,5,7,3,1700000000123,"zstd",300,"YWI="])");
}

TEST(BlockRow, refuses_what_is_none) {
  for (const char* text :
       {"", "{}", "[]", "[4,2,1,3,5,7,3,17,\"zstd\",300]", "[4,2,1,3,5,7,3,17,\"zstd\",300,\"YW\"]",
        "[4,2,1,3,5,7,3,17,\"gzip\",300,\"\"]", "[4,2,1,3,5,7,3,17,\"zs\\\\\",300,\"\"]",
        "[4,2,1,3,5,7,3,17,\"zstd\",300,\"****\"]", "[-4,2,1,3,5,7,3,17,\"zstd\",300,\"\"]",
        "[4,2,1,3,5,7,3,1.5,\"zstd\",300,\"\"]", "[4,2,1,3,5,7,3,17,5,300,\"\"]"}) {
    EXPECT_FALSE(parse_block_row(text)) << text;
  }
}

}  // namespace
}  // namespace postrider
