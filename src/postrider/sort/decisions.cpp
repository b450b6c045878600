#include "postrider/sort/decisions.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "postrider/base/assert.hpp"
#include "postrider/base/varint.hpp"

namespace postrider {
namespace {

constexpr char plain_format = 0;
constexpr ServiceKey last_service{std::numeric_limits<std::int64_t>::max()};
// One service and one position, each with its number.
constexpr std::size_t group_bytes_min = 4;

template <class Number>
void put_rising(std::string& out, Number before, std::span<const Number> numbers) {
  put_varint(out, numbers.size());
  for (const Number number : numbers) {
    POSTRIDER_ASSERT(number > before, "{} after {}", number, before);
    put_varint(out, static_cast<std::uint64_t>(number.value - before.value - 1));
    before = number;
  }
}

/// Reads what `put_rising` wrote; false when it is damaged.
template <class Number>
bool take_rising(std::string_view& in, Number before, Number last, std::vector<Number>& numbers) {
  const auto count = take_varint(in);
  // Each number has a byte at least.
  if (!count || *count == 0 || *count > in.size()) return false;
  if (numbers.empty()) numbers.reserve(static_cast<std::size_t>(*count));
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto distance = take_varint(in);
    const auto room = static_cast<std::uint64_t>(last.value - before.value);
    if (!distance || *distance >= room) return false;
    before = before.plus(static_cast<std::int64_t>(*distance) + 1);
    numbers.push_back(before);
  }
  return true;
}

/// False when there are less.
bool skip_varints(std::string_view& in, std::uint64_t count) {
  std::size_t bytes = 0;
  for (; count > 0 && bytes < in.size(); ++bytes) {
    if ((static_cast<unsigned char>(in[bytes]) & 0x80) == 0) --count;
  }
  in.remove_prefix(bytes);
  return count == 0;
}

/// Reads past what `put_rising` wrote; false when it is damaged.
bool skip_rising(std::string_view& in) {
  const auto count = take_varint(in);
  return count && skip_varints(in, *count);
}

/// Reads past services; whether this one is among them, or empty when they are damaged.
std::optional<bool> take_whether_has(std::string_view& in, ServiceKey service) {
  auto left = take_varint(in);
  if (!left) return std::nullopt;
  ServiceKey each;
  while (*left > 0 && each < service) {
    const auto distance = take_varint(in);
    if (!distance || *distance >= static_cast<std::uint64_t>(last_service.value - each.value)) {
      return std::nullopt;
    }
    each = each.plus(static_cast<std::int64_t>(*distance) + 1);
    --*left;
  }
  if (!skip_varints(in, *left)) return std::nullopt;
  return each == service;
}

std::unexpected<Error> damaged(StreamId after) {
  return fail(Code::storage_failed, "the decisions on the facts after {} are damaged", after);
}

/// The number of groups that follow; empty when it is damaged.
std::optional<std::size_t> take_head(std::string_view& in) {
  if (in.empty() || in.front() != plain_format) return std::nullopt;
  in.remove_prefix(1);
  const auto count = take_varint(in);
  if (!count || *count > in.size() / group_bytes_min) return std::nullopt;
  return static_cast<std::size_t>(*count);
}

bool is_each_once(std::span<const DecisionGroup> groups) {
  if (groups.size() < 2) return true;
  std::vector<StreamId> positions;
  for (const DecisionGroup& group : groups) {
    positions.insert(positions.end(), group.positions.begin(), group.positions.end());
  }
  std::ranges::sort(positions);
  return std::ranges::adjacent_find(positions) == positions.end();
}

}  // namespace

std::string pack_decisions(StreamId after, std::span<const DecisionGroup> groups) {
  std::string packed(1, plain_format);
  put_varint(packed, groups.size());
  for (const DecisionGroup& group : groups) {
    put_rising(packed, ServiceKey{}, std::span<const ServiceKey>(group.services));
    put_rising(packed, after, std::span<const StreamId>(group.positions));
  }
  return packed;
}

Result<std::vector<DecisionGroup>> unpack_decisions(StreamId after, StreamId through,
                                                    std::string_view packed) {
  const auto count = take_head(packed);
  if (through < after || !count) return damaged(after);
  std::vector<DecisionGroup> groups(*count);
  for (DecisionGroup& group : groups) {
    if (!take_rising(packed, ServiceKey{}, last_service, group.services) ||
        !take_rising(packed, after, through, group.positions)) {
      return damaged(after);
    }
  }
  if (!packed.empty() || !is_each_once(groups)) return damaged(after);
  return groups;
}

Result<std::vector<StreamId>> unpack_positions_of(ServiceKey service, StreamId after,
                                                  StreamId through, std::string_view packed) {
  const auto count = take_head(packed);
  if (through < after || !count) return damaged(after);
  std::vector<StreamId> positions;
  std::size_t groups = 0;  // that it is in
  for (std::size_t i = 0; i < *count; ++i) {
    const auto has = take_whether_has(packed, service);
    if (!has) return damaged(after);
    const bool is_whole =
        *has ? take_rising(packed, after, through, positions) : skip_rising(packed);
    if (!is_whole) return damaged(after);
    if (*has) ++groups;
  }
  if (groups > 1) std::ranges::sort(positions);
  if (!packed.empty() || std::ranges::adjacent_find(positions) != positions.end()) {
    return damaged(after);
  }
  return positions;
}

void DecisionGroups::add(StreamId id, const ServiceSet& services) {
  const bool same_as_before = last_ < groups_.size() && groups_[last_].services == services;
  if (!same_as_before) {
    const auto [found, is_new] = by_services_.try_emplace(services, groups_.size());
    if (is_new) groups_.push_back({services, {}});
    last_ = found->second;
  }
  groups_[last_].positions.push_back(id);
}

std::vector<StreamId> positions_of(ServiceKey service, std::span<const DecisionGroup> groups) {
  std::vector<StreamId> positions;
  bool is_merged = false;  // of several groups
  for (const DecisionGroup& group : groups) {
    if (!std::ranges::binary_search(group.services, service)) continue;
    is_merged = is_merged || !positions.empty();
    positions.insert(positions.end(), group.positions.begin(), group.positions.end());
  }
  if (is_merged) std::ranges::sort(positions);
  return positions;
}

}  // namespace postrider
