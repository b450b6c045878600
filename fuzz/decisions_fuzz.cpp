// The packed decisions of one row, perhaps damaged. The first line holds the position that they
// follow. What unpacks packs again into the same decisions.
#include <algorithm>
#include <charconv>
#include <limits>

#include "fuzz/input.hpp"

#include "postrider/base/assert.hpp"
#include "postrider/sort/decisions.hpp"

namespace postrider {
namespace {

constexpr StreamId last_position{std::numeric_limits<std::int64_t>::max()};

template <class Number>
bool rises(const std::vector<Number>& numbers, Number before) {
  return !numbers.empty() && numbers.front() > before &&
         std::ranges::adjacent_find(numbers, std::greater_equal{}) == numbers.end();
}

/// `groups` are what `packed` holds, after `after`.
void check_positions_of(ServiceKey service, std::span<const DecisionGroup> groups, StreamId after,
                        std::string_view packed) {
  std::size_t count = 0;
  for (const DecisionGroup& group : groups) {
    if (std::ranges::binary_search(group.services, service)) count += group.positions.size();
  }
  const std::vector<StreamId> positions = positions_of(service, groups);
  POSTRIDER_ASSERT(positions.size() == count && std::ranges::is_sorted(positions),
                   "{} of {} positions of service {}", positions.size(), count, service);
  const auto alone = unpack_positions_of(service, after, last_position, packed);
  POSTRIDER_ASSERT(alone && *alone == positions, "others are unpacked for service {}", service);
}

}  // namespace
}  // namespace postrider

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  FuzzInput input(data, size);
  const std::string_view line = input.take_line();
  StreamId after;
  std::from_chars(line.data(), line.data() + line.size(), after.value);
  if (after.value < 0) return 0;  // the database holds none
  const std::string_view packed = input.rest();
  // Of damaged bytes too, which may hold it even so.
  (void)unpack_positions_of(ServiceKey{1}, after, last_position, packed);
  const auto groups = unpack_decisions(after, last_position, packed);
  if (!groups) return 0;
  for (const DecisionGroup& group : *groups) {
    POSTRIDER_ASSERT(rises(group.services, ServiceKey{}), "services do not rise");
    POSTRIDER_ASSERT(rises(group.positions, after), "positions do not rise after {}", after);
    check_positions_of(group.services.back(), *groups, after, packed);
  }
  const auto again = unpack_decisions(after, last_position, pack_decisions(after, *groups));
  const auto same = [](const DecisionGroup& left, const DecisionGroup& right) {
    return left.services == right.services && left.positions == right.positions;
  };
  POSTRIDER_ASSERT(again && std::ranges::equal(*groups, *again, same),
                   "decisions change when packed");
  return 0;
}
