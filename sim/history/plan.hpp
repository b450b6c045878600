#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/engine/engine.hpp"
#include "sim/disk/disk.hpp"
#include "sim/world/air.hpp"
#include "sim/world/slow_lane.hpp"

namespace postrider::sim {

/// How often requests to receivers end in each way, in thousandths; the rest are answered 200.
struct NetworkFaults {
  int refused = 0;       ///< no connection
  int reset_before = 0;  ///< the connection ends before the receiver has the whole request
  int answer_lost = 0;   ///< the receiver has processed it, and the answer does not arrive
  int hangs = 0;         ///< no answer until the time-out; processed or not
  int client_error = 0;  ///< 4xx
  int server_error = 0;  ///< 5xx
  int too_many = 0;      ///< 429 with Retry-After
  int redirect = 0;
  int duplicated = 0;       ///< the receiver gets the request twice, as by a retried connection
  int connection_lost = 0;  ///< that was kept alive, with the request on it or after it was taken
  int gone = 0;             ///< 410, of a webhook
  int too_large = 0;        ///< 413, of a webhook that gets more than `large_facts`
  std::int64_t large_facts = 1;
  Duration typical_latency = std::chrono::milliseconds{5};
  Duration longest_latency = std::chrono::seconds{5};
  Duration longest_connect{};  ///< until a request leaves its process; 0: it leaves at once
  Duration mean_outage{};      ///< of a receiver that is dead for a while; 0: none is
  /// Behind this host everything is well, and its answers are quick. Empty: behind none.
  std::string sound_host;
};

/// The way to a database on a server, in thousandths of the statements and of the commits.
struct RemoteFaults {
  int lost = 0;          ///< the connection, and what was under way on it
  int answers_lost = 0;  ///< of commits that have happened
  Duration typical_absence = std::chrono::milliseconds{100};
  Duration longest_absence = std::chrono::minutes{2};

  [[nodiscard]] bool any() const { return lost > 0 || answers_lost > 0; }
};

/// The services that a configuration file declares, each with the number of its document.
using ServiceFile = std::map<std::string, int>;

constexpr std::int64_t huge_bytes = 500'000;

struct CrashPlan {
  Duration mean_interval{};  ///< of each process; 0: no crash
  int power_lost = 0;        ///< in thousandths; else only the process dies
  int inside_commit = 0;
  int graceful = 0;             ///< stopped as by SIGTERM instead
  int after_disk_fault = 0;     ///< the process alone, soon after each
  bool one_stays_dead = false;  ///< of several processes, also when faults have stopped
  int pauses = 0;               ///< stopped for a while as by SIGSTOP instead, in thousandths
};

struct WorkloadPlan {
  int streams = 1;
  int services = 3;
  int appends = 60;
  int facts_max = 8;               ///< in one append
  int padding_max = 200;           ///< bytes
  int huge = 0;                    ///< facts of up to `huge_bytes`, in thousandths
  int webhooks = 0;                ///< of the registrations, in thousandths
  int keyed = 300;                 ///< appends under an idempotency key, in thousandths
  int refused = 0;                 ///< appends that the database refuses, in thousandths
  Duration mean_pause{};           ///< between appends
  Duration mean_operator_pause{};  ///< between what an operator does; 0: nothing
};

/// All that is drawn before a history begins.
struct Plan {
  std::uint64_t seed = 0;
  std::string scenario;
  EngineSettings engine;
  std::uint64_t checkpoint_bytes = 16U << 20;
  SlowLane::Pace disk_pace;
  DiskFaults disk;
  RemoteFaults remote;
  int members = 1;       ///< processes on the database
  bool has_bus = false;  ///< else they learn of each other from the database alone
  AirFaults air;
  NetworkFaults network;
  CrashPlan crash;
  WorkloadPlan workload;
  std::vector<ServiceFile> files = {{}};  ///< each process starts with one of them
  int damaged = 0;  ///< stored blocks that are altered between two lives, in thousandths of these
  Duration mean_clock_jump_pause{};  ///< 0: the wall clock runs true
  bool outlives_retention = false;   ///< goes on, at rest, until all that has a time is past it
};

/// The kinds of history. `swarm` draws for each kind of fault whether it exists at all.
const std::vector<std::string>& scenario_names();

/// `scenario` is one of `scenario_names`.
Plan draw_plan(std::uint64_t seed, std::string_view scenario);

}  // namespace postrider::sim
