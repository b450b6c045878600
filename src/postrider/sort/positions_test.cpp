#include "postrider/sort/positions.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(Positions, a_dense_run_takes_a_byte_for_each_further_position) {
  std::vector<StreamId> positions;
  for (int i = 0; i < 1000; ++i) positions.emplace_back(5'000'000'000 + i);
  const std::string packed = pack_positions(positions);
  EXPECT_EQ(packed.size(), 999U);
  EXPECT_EQ(unpack_positions(positions.front(), 1000, packed).value(), positions);
}

TEST(Positions, round_trips_gaps_of_every_size) {
  std::vector<StreamId> positions = {StreamId{1}};
  for (int bits = 0; bits < 60; ++bits) positions.push_back(positions.back().plus(1LL << bits));
  EXPECT_EQ(unpack_positions(StreamId{1}, std::ssize(positions), pack_positions(positions)).value(),
            positions);
}

TEST(Positions, refuses_too_few_too_many_and_overflowing_bytes) {
  const std::vector<StreamId> positions = {StreamId{1}, StreamId{300}, StreamId{301}};
  const std::string packed = pack_positions(positions);
  EXPECT_FALSE(unpack_positions(StreamId{1}, 2, packed));
  EXPECT_FALSE(unpack_positions(StreamId{1}, 4, packed));
  EXPECT_FALSE(unpack_positions(StreamId{1}, 3, packed.substr(0, 1)));
  EXPECT_FALSE(unpack_positions(StreamId{1}, 0, ""));
  const std::string far(9, '\xff');
  EXPECT_FALSE(unpack_positions(StreamId{1}, 2, far + "\x01"));
  const StreamId last{std::numeric_limits<std::int64_t>::max()};
  EXPECT_FALSE(unpack_positions(last, 2, std::string(1, '\0')));
  EXPECT_TRUE(unpack_positions(last.plus(-1), 2, std::string(1, '\0')));
}

}  // namespace
}  // namespace postrider
