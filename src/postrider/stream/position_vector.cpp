#include "postrider/stream/position_vector.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace postrider {
namespace {

/// Takes a number off the front: digits only.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = -1;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return number;
}

bool take_char(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

/// `2.9~7.6`, or nothing.
std::optional<PositionVector::Ahead> parse_ahead(std::string_view text) {
  PositionVector::Ahead ahead;
  while (!text.empty()) {
    const auto writer = take_number(text);
    if (!writer || !take_char(text, '.')) return std::nullopt;
    const auto position = take_number(text);
    if (!position || !ahead.emplace(*writer, *position).second) return std::nullopt;
    if (!text.empty() && (!take_char(text, '~') || text.empty())) return std::nullopt;
  }
  return ahead;
}

std::optional<PositionVector> parse_vector(std::string_view text) {
  const bool is_linear = text.starts_with('s');
  if (!is_linear && !text.starts_with('m')) return std::nullopt;
  text.remove_prefix(1);
  const auto minimum = take_number(text);
  if (!minimum) return std::nullopt;
  if (is_linear)
    return text.empty() ? std::optional(PositionVector(StreamId{*minimum})) : std::nullopt;
  if (!take_char(text, '~')) return std::nullopt;
  auto ahead = parse_ahead(text);
  if (!ahead) return std::nullopt;
  return PositionVector(StreamId{*minimum}, *std::move(ahead));
}

}  // namespace

PositionVector::PositionVector(StreamId minimum, Ahead ahead)
    : minimum_(minimum), ahead_(std::move(ahead)) {
  std::erase_if(ahead_, [minimum](const auto& entry) { return entry.second <= minimum; });
}

StreamId PositionVector::maximum() const {
  StreamId maximum = minimum_;
  for (const auto& [writer, position] : ahead_) maximum = std::max(maximum, position);
  return maximum;
}

StreamId PositionVector::of(InstanceKey writer) const {
  const auto found = ahead_.find(writer);
  return found == ahead_.end() ? minimum_ : found->second;
}

bool PositionVector::reaches(const PositionVector& other) const {
  // A writer that neither names stands at both minimums.
  const auto at_most_own = [this](const auto& entry) { return entry.second <= of(entry.first); };
  return other.minimum_ <= minimum_ && std::ranges::all_of(other.ahead_, at_most_own);
}

PositionVector PositionVector::joined(const PositionVector& other) const {
  Ahead ahead = ahead_;
  for (const auto& [writer, position] : other.ahead_) {
    StreamId& own = ahead[writer];
    own = std::max(own, position);
  }
  return {std::max(minimum_, other.minimum_), std::move(ahead)};
}

PositionVector PositionVector::clipped(StreamId maximum) const {
  Ahead ahead = ahead_;
  for (auto& [writer, position] : ahead) position = std::min(position, maximum);
  return {std::min(minimum_, maximum), std::move(ahead)};
}

std::string PositionVector::token() const {
  if (ahead_.empty()) return fmt::format("s{}", minimum_);
  std::string text = fmt::format("m{}", minimum_);
  for (const auto& [writer, position] : ahead_) text += fmt::format("~{}.{}", writer, position);
  return text;
}

Result<PositionVector> PositionVector::parse(std::string_view token) {
  if (auto vector = parse_vector(token)) return *std::move(vector);
  return fail(Code::invalid_argument, "\"{}\" is not a token; use one that this server gave out",
              token);
}

}  // namespace postrider
