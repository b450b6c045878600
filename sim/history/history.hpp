#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/history/referee.hpp"

namespace postrider::sim {

struct Counts {
  std::int64_t facts = 0;
  std::int64_t transactions = 0;
  std::int64_t retries = 0;
  std::int64_t crashes = 0;
  std::int64_t network_faults = 0;
  std::int64_t disk_faults = 0;
  std::int64_t lost_writes = 0;
};

/// What came of one history.
struct Report {
  std::uint64_t seed = 0;
  std::string scenario;
  std::uint64_t trace_hash = 0;
  double virtual_seconds = 0;
  Counts counts;
  std::optional<Referee::Verdict> verdict;  ///< empty: every check held
};

/// Runs one history to its end. `prints`: a line on standard output for everything that happens.
Report run_history(std::uint64_t seed, std::string_view scenario, bool prints);
/// Runs it two times: the second must be the same as the first.
Report run_twice(std::uint64_t seed, std::string_view scenario);

}  // namespace postrider::sim
