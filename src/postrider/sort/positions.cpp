#include "postrider/sort/positions.hpp"

#include <limits>

#include "postrider/base/assert.hpp"
#include "postrider/base/varint.hpp"

namespace postrider {

void append_position(std::string& packed, StreamId last, StreamId next) {
  POSTRIDER_ASSERT(next > last, "position {} after {}", next, last);
  put_varint(packed, static_cast<std::uint64_t>(next.value - last.value - 1));
}

std::string pack_positions(std::span<const StreamId> positions) {
  POSTRIDER_ASSERT(!positions.empty(), "an inbox block without positions");
  std::string packed;
  packed.reserve(positions.size());
  for (std::size_t i = 1; i < positions.size(); ++i) {
    append_position(packed, positions[i - 1], positions[i]);
  }
  return packed;
}

Result<std::vector<StreamId>> unpack_positions(StreamId first_id, std::int64_t count,
                                               std::string_view packed) {
  const auto damaged = [first_id, count] {
    return fail(Code::storage_failed, "inbox block of {} positions from {} is damaged", count,
                first_id);
  };
  if (count < 1 || static_cast<std::size_t>(count) > packed.size() + 1) return damaged();
  std::vector<StreamId> positions = {first_id};
  positions.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 1; i < count; ++i) {
    const auto distance = take_varint(packed);
    const auto room = std::numeric_limits<std::int64_t>::max() - positions.back().value;
    if (!distance || *distance >= static_cast<std::uint64_t>(room)) return damaged();
    positions.push_back(positions.back().plus(static_cast<std::int64_t>(*distance) + 1));
  }
  if (!packed.empty()) return damaged();
  return positions;
}

Result<std::vector<StreamId>> positions_in(const InboxBlock& block) {
  TRY(auto positions, unpack_positions(block.first, block.fact_count, block.positions));
  if (positions.back() == block.last) return positions;
  return fail(Code::storage_failed, "an inbox block ends at fact {} and says that it ends at {}",
              positions.back(), block.last);
}

}  // namespace postrider
