// postrider-sim: runs the engine through histories that a seed decides.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "postrider/base/log.hpp"
#include "sim/disk/disk_vfs.hpp"
#include "sim/history/plan.hpp"
#include "sim/runner/report_line.hpp"
#include "sim/runner/seed_range.hpp"
#include "sim/sweep/sweep.hpp"

namespace postrider::sim {
namespace {

struct Options {
  std::uint64_t seed = 1;
  std::string seeds;
  std::string scenario = "swarm";
  int jobs = 1;
  bool trace = false;
  bool twice = false;
  bool stops_when_broken = false;
  std::string sweep;
  std::string fault;
  std::int64_t call = 0;
  std::int64_t every = 1;
};

std::vector<std::string> names_of_sweeps() {
  std::vector<std::string> names = sweep_names();
  names.emplace_back("all");
  return names;
}

std::vector<std::string> names_of_faults() {
  std::vector<std::string> names;
  for (const Fault fault : all_faults) names.emplace_back(name_of(fault));
  return names;
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("--seed", options.seed, "the history to run, and to print a line about")
      ->capture_default_str();
  app.add_option("--seeds", options.seeds, "A..B: every history from A to B")->excludes("--seed");
  app.add_option("--scenario", options.scenario, "what may happen in it")
      ->check(CLI::IsMember(scenario_names()))
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "processes that run a range")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_flag("--trace", options.trace, "print everything that happens in the history")
      ->excludes("--seeds");
  app.add_flag("--twice", options.twice, "run each history two times, which must be the same");
  app.add_flag("--stop-when-broken", options.stops_when_broken,
               "end the range at the first history in which a check breaks");
  auto* const sweep =
      app.add_option("--sweep", options.sweep, "the scenario in which each call fails once, or all")
          ->check(CLI::IsMember(names_of_sweeps()))
          ->excludes("--seeds");
  auto* const fault = app.add_option("--fault", options.fault, "how they fail; else in every way")
                          ->check(CLI::IsMember(names_of_faults()))
                          ->needs(sweep);
  app.add_option("--call", options.call, "the only one that fails, from 1")
      ->check(CLI::PositiveNumber)
      ->needs(fault);
  app.add_option("--every", options.every, "of the calls fails, not each of them")
      ->check(CLI::PositiveNumber)
      ->needs(sweep);
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [read_to, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || read_to != end) return std::nullopt;
  return number;
}

bool read_seeds(const std::string& text, SeedRange& range) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return false;
  const auto first = number_of(std::string_view(text).substr(0, dots));
  const auto last = number_of(std::string_view(text).substr(dots + 2));
  if (!first || !last || *first > *last) return false;
  range.first = *first;
  range.last = *last;
  return true;
}

int run_one(const Options& options) {
  const Report report = options.twice ? run_twice(options.seed, options.scenario)
                                      : run_history(options.seed, options.scenario, options.trace);
  fmt::print("{}", line_of(report));
  return report.verdict ? 1 : 0;
}

/// False when a check broke.
bool run_sweep(const std::string& scenario, Fault fault, const Options& options) {
  Sweep swept;
  if (options.call == 0) {
    swept = sweep(scenario, fault, options.every);
  } else {
    const SweptRun run = run_swept(scenario, fault, options.call);
    swept = {run.has_fallen ? 1 : 0, run.calls, options.call, run.verdict};
  }
  fmt::print("sweep {} {}: ", scenario, name_of(fault));
  if (!swept.verdict) {
    fmt::print("{} of {} calls failed, each in a run of its own\n", swept.runs, swept.calls);
    return true;
  }
  fmt::print("BROKEN {}: {} (call {})\n  postrider-sim --sweep {} --fault {} --call {} --trace\n",
             name_of(swept.verdict->check), swept.verdict->detail, swept.broken_at, scenario,
             name_of(fault), swept.broken_at);
  return false;
}

int run_sweeps(const Options& options) {
  const auto fault = fault_of(options.fault);
  int broken = 0;
  for (const std::string& scenario : sweep_names()) {
    if (options.sweep != "all" && scenario != options.sweep) continue;
    for (const Fault each : all_faults) {
      const bool is_wanted = !fault || each == fault;
      if (!is_wanted || !can_sweep(scenario, each)) continue;
      if (!run_sweep(scenario, each, options)) ++broken;
      std::fflush(stdout);
    }
  }
  return broken == 0 ? 0 : 1;
}

int run(const Options& options) {
  set_log(options.trace ? LogLevel::info : LogLevel::off, LogFormat::text);
  make_sqlite_repeatable();
  if (!options.sweep.empty()) return run_sweeps(options);
  if (options.seeds.empty()) return run_one(options);
  SeedRange range{.scenario = options.scenario,
                  .jobs = options.jobs,
                  .twice = options.twice,
                  .stops_when_broken = options.stops_when_broken};
  if (!read_seeds(options.seeds, range)) {
    fmt::print(stderr, "postrider-sim: --seeds {}: not a range, as 1..1000 is\n", options.seeds);
    return 2;
  }
  return run_range(range).broken == 0 ? 0 : 1;
}

}  // namespace
}  // namespace postrider::sim

int main(int argc, char** argv) {
  CLI::App app{"Runs the engine through histories that a seed decides, and judges them."};
  postrider::sim::Options options;
  postrider::sim::add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "postrider-sim: {}\n", error.what());
    return 2;
  }
  return postrider::sim::run(options);
}
