#include "postrider/base/quantity.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace postrider {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// Largest first, so that formatting takes the first unit that divides.
constexpr std::array<Unit, 5> duration_units = {{{"d", 86'400'000'000'000},
                                                 {"h", 3'600'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"ms", 1'000'000}}};
constexpr std::array<Unit, 4> size_units = {
    {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};

template <std::size_t N>
Result<std::uint64_t> parse(std::string_view text, const std::array<Unit, N>& units,
                            std::string_view allowed) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const Unit& unit : units) {
    if (error != std::errc{} || suffix != unit.suffix) continue;
    if (number >
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit.factor) {
      return fail(Code::invalid_argument, "\"{}\" is too large", text);
    }
    return number * unit.factor;
  }
  return fail(Code::invalid_argument, "\"{}\" is not {}", text, allowed);
}

template <std::size_t N>
std::string format(std::uint64_t value, const std::array<Unit, N>& units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) {
      return fmt::format("{}{}", value / unit.factor, unit.suffix);
    }
  }
  return fmt::format("{}{}", value / units.back().factor, units.back().suffix);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  TRY(const std::uint64_t nanoseconds,
      parse(text, duration_units, "a duration like 250ms, 2s, 10m, 12h or 7d"));
  return Duration{static_cast<Duration::rep>(nanoseconds)};
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse(text, size_units, "a size like 512B, 64KiB, 16MiB or 2GiB");
}

std::string format_duration(Duration duration) {
  return format(static_cast<std::uint64_t>(duration.count()), duration_units);
}

std::string format_size(std::uint64_t bytes) {
  return format(bytes, size_units);
}

}  // namespace postrider
