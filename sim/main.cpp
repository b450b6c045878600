// postrider-sim: runs the engine through histories that a seed decides.
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "postrider/base/log.hpp"
#include "sim/disk/disk_vfs.hpp"
#include "sim/history/plan.hpp"
#include "sim/runner/report_line.hpp"
#include "sim/runner/seed_range.hpp"

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
};

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

int run(const Options& options) {
  set_log(options.trace ? LogLevel::info : LogLevel::off, LogFormat::text);
  make_sqlite_repeatable();
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
