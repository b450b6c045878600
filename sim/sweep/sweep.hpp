#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/history/referee.hpp"
#include "sim/sweep/fault.hpp"

namespace postrider::sim {

/// One run of a scenario, in which one call fails.
struct SweptRun {
  std::int64_t calls = 0;   ///< that the fault could fall on
  bool has_fallen = false;  ///< it did
  std::optional<Referee::Verdict> verdict;
};

/// Runs of a scenario with one kind of fault: in each another call fails, up to the last one.
struct Sweep {
  std::int64_t runs = 0;       ///< in which a call failed
  std::int64_t calls = 0;      ///< that a run makes in which none fails
  std::int64_t broken_at = 0;  ///< the call that failed when a check broke; 0: none did
  std::optional<Referee::Verdict> verdict;
};

/// The scenarios, in their order.
const std::vector<std::string>& sweep_names();

/// False when the scenario makes no call that the fault could fall on.
bool can_sweep(const std::string& scenario, Fault fault);

/// `scenario` is one of `sweep_names`. A run that is made again is the same.
SweptRun run_swept(const std::string& scenario, Fault fault, std::int64_t call);

/// Every call fails in one run, or every second, third, … one. Ends with the first run that breaks
/// a check.
Sweep sweep(const std::string& scenario, Fault fault, std::int64_t every = 1);

}  // namespace postrider::sim
