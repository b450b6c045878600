#include "sim/sweep/sweep.hpp"

#include <algorithm>
#include <map>

#include "sim/sweep/sweep_scenarios.hpp"

namespace postrider::sim {
namespace {

const SweepScenario& scenario_of(const std::string& name) {
  return *std::ranges::find(sweep_scenarios(), name, &SweepScenario::name);
}

/// That a database server brings with it, or several processes do.
bool is_remote(Fault fault) {
  switch (fault) {
    case Fault::connection_lost:
    case Fault::commit_lost:
    case Fault::answer_lost:
    case Fault::line_lost:
    case Fault::bus_lost:
      return true;
    default:
      return false;
  }
}

}  // namespace

const std::vector<std::string>& sweep_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const SweepScenario& each : sweep_scenarios()) all.emplace_back(each.name);
    return all;
  }();
  return names;
}

bool can_sweep(const std::string& scenario, Fault fault) {
  const SweepScenario& found = scenario_of(scenario);
  switch (fault) {
    case Fault::unreachable:
    case Fault::server_error:
    case Fault::unanswered:
    case Fault::reset:
      return found.delivers;
    case Fault::line_lost:
    case Fault::bus_lost:
      return found.is_fleet;
    case Fault::power_lost:
      return !found.is_fleet;
    default:
      return true;
  }
}

SweptRun run_swept(const std::string& scenario, Fault fault, std::int64_t call) {
  const SweepScenario& found = scenario_of(scenario);
  CallCounter counter(fault, call);
  SweepWorld world(counter, found.is_fleet || is_remote(fault));
  found.run(world);
  return {counter.calls(), counter.has_fallen(), world.referee().verdict()};
}

Sweep sweep(const std::string& scenario, Fault fault, std::int64_t every) {
  Sweep all;
  for (std::int64_t call = 1;; call += every) {
    SweptRun run = run_swept(scenario, fault, call);
    if (run.verdict) {
      all.broken_at = call;
      all.verdict = std::move(run.verdict);
      return all;
    }
    if (!run.has_fallen) {
      all.calls = run.calls;
      return all;
    }
    ++all.runs;
  }
}

}  // namespace postrider::sim
