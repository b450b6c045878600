#include "sim/history/trace.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace postrider::sim {

// FNV-1a, a byte and a word at a time.
void Trace::mix(std::string_view bytes) {
  for (const char c : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
}

void Trace::mix(std::int64_t number) {
  hash_ = (hash_ ^ static_cast<std::uint64_t>(number)) * 0x100000001B3ULL;
  hash_ ^= hash_ >> 32U;
}

void Trace::note(std::string_view what, std::initializer_list<std::int64_t> numbers) {
  note(what, "", numbers);
}

void Trace::note(std::string_view what, std::string_view name,
                 std::initializer_list<std::int64_t> numbers) {
  mix(what);
  mix(name);
  mix(timeline_.now().time_since_epoch().count());
  mix(static_cast<std::int64_t>(timeline_.steps()));
  mix(static_cast<std::int64_t>(timeline_.order_hash()));
  for (const std::int64_t number : numbers) mix(number);
  if (prints_) print(what, name, numbers);
}

void Trace::print(std::string_view what, std::string_view name,
                  std::initializer_list<std::int64_t> numbers) const {
  fmt::print("{:14.6f} {}{}{} {}\n", seconds(timeline_.now().time_since_epoch()), what,
             name.empty() ? "" : " ", name, fmt::join(numbers, " "));
}

}  // namespace postrider::sim
