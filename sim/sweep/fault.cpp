#include "sim/sweep/fault.hpp"

#include <algorithm>
#include <utility>

namespace postrider::sim {
namespace {

bool can_fall_on(Fault fault, Port port) {
  switch (fault) {
    case Fault::io_error:
    case Fault::disk_full:
    case Fault::connection_lost:
      return port == Port::statement || port == Port::commit;
    case Fault::commit_lost:
    case Fault::answer_lost:
      return port == Port::commit;
    case Fault::unreachable:
    case Fault::server_error:
    case Fault::unanswered:
    case Fault::reset:
      return port == Port::request;
    case Fault::line_lost:
    case Fault::bus_lost:
      return port == Port::line;
    case Fault::killed:
    case Fault::power_lost:
      return true;
  }
  std::unreachable();
}

}  // namespace

std::string_view name_of(Fault fault) {
  static constexpr std::array<std::string_view, all_faults.size()> names = {
      "io_error",    "disk_full",    "connection_lost", "commit_lost", "answer_lost",
      "unreachable", "server_error", "unanswered",      "reset",       "line_lost",
      "bus_lost",    "killed",       "power_lost"};
  return names.at(static_cast<std::size_t>(fault));
}

std::optional<Fault> fault_of(std::string_view name) {
  const auto* const found =
      std::ranges::find(all_faults, name, [](Fault each) { return name_of(each); });
  if (found == all_faults.end()) return std::nullopt;
  return *found;
}

std::optional<Fault> CallCounter::next(Port port) {
  if (!can_fall_on(fault_, port)) return std::nullopt;
  return ++calls_ == falls_on_ ? std::optional(fault_) : std::nullopt;
}

}  // namespace postrider::sim
