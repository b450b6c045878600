#include "sim/history/referee.hpp"

#include <array>

namespace postrider::sim {

std::string_view name_of(Check check) {
  static constexpr std::array<std::string_view, 15> names = {
      "durable append", "linear order", "same bytes", "one in flight", "bounded transaction",
      "token",          "backoff",      "paused",     "audit",         "liveness",
      "idle",           "webhook",      "isolation",  "fails alone",   "repeatable"};
  return names.at(static_cast<std::size_t>(check));
}

}  // namespace postrider::sim
