// The packed positions of an inbox block, perhaps damaged. The first line holds the first position
// and how many there are.
#include <algorithm>
#include <charconv>

#include "fuzz/input.hpp"

#include "postrider/base/assert.hpp"
#include "postrider/sort/positions.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  FuzzInput input(data, size);
  const std::string_view line = input.take_line();
  std::int64_t first = 0;
  std::int64_t count = 0;
  const char* const end = line.data() + line.size();
  const auto after_first = std::from_chars(line.data(), end, first);
  if (after_first.ptr != end) std::from_chars(after_first.ptr + 1, end, count);
  if (first < 1) return 0;  // the database holds none
  const auto positions = unpack_positions(StreamId{first}, count, input.rest());
  if (!positions) return 0;
  POSTRIDER_ASSERT(std::ssize(*positions) == count && positions->front() == StreamId{first},
                   "{} positions from {}", positions->size(), positions->front());
  POSTRIDER_ASSERT(std::ranges::adjacent_find(*positions, std::greater_equal{}) == positions->end(),
                   "positions do not rise");
  const auto again = unpack_positions(StreamId{first}, count, pack_positions(*positions));
  POSTRIDER_ASSERT(again && *again == *positions, "positions change when packed");
  return 0;
}
