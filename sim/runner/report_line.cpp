#include "sim/runner/report_line.hpp"

#include <fmt/format.h>

namespace postrider::sim {

std::string replay_command(std::uint64_t seed, std::string_view scenario) {
  return fmt::format("  again: postrider-sim --seed {} --scenario {} --trace\n", seed, scenario);
}

std::string line_of(const Report& report) {
  const Counts& counts = report.counts;
  std::string line = fmt::format(
      "seed {} {}: {:.1f} s, {} facts, {} transactions, {} retries, {} crashes,"
      " {} network faults, {} disk faults, {} lost writes, trace {:016x}, ",
      report.seed, report.scenario, report.virtual_seconds, counts.facts, counts.transactions,
      counts.retries, counts.crashes, counts.network_faults, counts.disk_faults, counts.lost_writes,
      report.trace_hash);
  if (!report.verdict) return line + "ok\n";
  return line +
         fmt::format("BROKEN {}: {}\n", name_of(report.verdict->check), report.verdict->detail) +
         replay_command(report.seed, report.scenario);
}

}  // namespace postrider::sim
