#pragma once

#include <cstdint>
#include <string>

namespace postrider::sim {

/// Histories of one scenario, from the first seed to the last.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  std::string scenario;
  int jobs = 1;
  bool twice = false;              ///< each history two times, which must be the same
  bool stops_when_broken = false;  ///< at the first history in which a check breaks
};

struct RangeResult {
  std::uint64_t histories = 0;
  std::uint64_t broken = 0;
};

/// Runs them in `jobs` processes, so that a history that ends its process ends no other. Prints the
/// broken ones and a summary on standard output, and a progress bar on standard error when that is
/// a terminal.
RangeResult run_range(const SeedRange& range);

}  // namespace postrider::sim
