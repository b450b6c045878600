// postrider-sim: runs the engine through histories that a seed decides.
#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "postrider/base/log.hpp"
#include "sim/disk/disk_vfs.hpp"
#include "sim/history/history.hpp"
#include "sim/history/plan.hpp"

namespace postrider::sim {
namespace {

void print_report(const Report& report) {
  fmt::print(
      "seed {} {}: {:.1f} s, {} facts, {} transactions, {} retries, {} crashes, {} network faults,"
      " {} disk faults, {} lost writes, trace {:016x}, ",
      report.seed, report.scenario, report.virtual_seconds, report.facts, report.transactions,
      report.retries, report.crashes, report.network_faults, report.disk_faults,
      report.lost_writes, report.trace_hash);
  if (!report.verdict) {
    fmt::print("ok\n");
    return;
  }
  fmt::print("BROKEN {}: {}\n  again: postrider-sim --seed {} --scenario {} --trace\n",
             name_of(report.verdict->check), report.verdict->detail, report.seed, report.scenario);
}

}  // namespace
}  // namespace postrider::sim

int main(int argc, char** argv) {
  using namespace postrider::sim;
  CLI::App app{"Runs the engine through histories that a seed decides."};
  std::uint64_t seed = 1;
  std::uint64_t count = 1;
  std::string scenario = "swarm";
  bool trace = false;
  app.add_option("--seed", seed);
  app.add_option("--count", count);
  app.add_option("--scenario", scenario);
  app.add_flag("--trace", trace);
  CLI11_PARSE(app, argc, argv);
  postrider::set_log(trace ? postrider::LogLevel::info : postrider::LogLevel::off,
                     postrider::LogFormat::text);
  make_sqlite_repeatable();
  int failed = 0;
  for (std::uint64_t each = seed; each < seed + count; ++each) {
    const Report report = run_history(each, scenario, trace);
    if (report.verdict || count == 1) print_report(report);
    if (report.verdict) ++failed;
  }
  if (count > 1) fmt::print("{} histories, {} failed\n", count, failed);
  return failed == 0 ? 0 : 1;
}
