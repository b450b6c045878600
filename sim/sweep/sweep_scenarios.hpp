#pragma once

#include <span>
#include <string_view>

#include "sim/sweep/sweep_world.hpp"

namespace postrider::sim {

/// A mechanism of the server at work. The same each time, but for the call that fails.
struct SweepScenario {
  std::string_view name;
  void (*run)(SweepWorld&);
  bool delivers = true;   ///< requests go out
  bool is_fleet = false;  ///< several processes, and a bus
};

std::span<const SweepScenario> sweep_scenarios();

}  // namespace postrider::sim
