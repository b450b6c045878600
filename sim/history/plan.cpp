#include "sim/history/plan.hpp"

#include <algorithm>

namespace postrider::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Ends weigh more than the middle: rare branches are at limits.
std::int64_t draw_limit(Random& random, std::int64_t low, std::int64_t high) {
  const auto kind = random.below(4);
  if (kind == 0) return low;
  if (kind == 1) return high;
  return random.between(low, high);
}

std::size_t draw_size(Random& random, std::int64_t low, std::int64_t high) {
  return static_cast<std::size_t>(draw_limit(random, low, high));
}

void draw_engine(Random& random, Plan& plan) {
  EngineSettings& engine = plan.engine;
  engine.services.delivery.limits.facts_max = draw_size(random, 1, 100);
  engine.services.delivery.limits.bytes_max = draw_size(random, 200, 1 << 20);
  engine.services.delivery.request_timeout = seconds{random.between(1, 60)};
  engine.services.delivery.backoff.min = seconds{random.between(1, 4)};
  engine.services.delivery.backoff.max = seconds{random.between(8, 512)};
  engine.streams.each.tail_cache_bytes = draw_size(random, 0, 64 << 10);
  engine.streams.each.block_cache_bytes = draw_size(random, 0, 64 << 10);
  engine.streams.each.idempotency_retain = hours{24};
  engine.sorter.facts_max = draw_size(random, 1, 200);
  engine.compaction.tail_bytes = draw_size(random, 1, 4000);
  engine.compaction.step_cost = draw_limit(random, 1, 2000);
  engine.compaction.row_age_max = milliseconds{draw_limit(random, 100, 60'000)};
  if (random.chance(300)) engine.catalog.server_name = "x";
  plan.checkpoint_bytes = static_cast<std::uint64_t>(draw_limit(random, 1, 200)) << 10;
  plan.disk_pace.typical = std::chrono::microseconds{random.between(50, 5000)};
  plan.disk_pace.max = milliseconds{random.between(20, 2000)};
}

/// Receivers that remember more IDs than the last one. A draw of its own: it changes no other.
void draw_acknowledge_behind(Plan& plan) {
  Random random(plan.seed, "acknowledge behind");
  if (!random.chance(400)) return;
  plan.engine.services.delivery.acknowledge_behind = draw_size(random, 1, 9);
}

/// A disk that gives back something else than was written. A draw of its own, as above.
void draw_damage(Plan& plan) {
  Random random(plan.seed, "damage");
  const bool is_alone = plan.members == 1 && !plan.engine.fleet;
  // Of transactions that are sent ahead the judge does not know which was given up.
  if (!is_alone || plan.engine.services.delivery.acknowledge_behind > 0) return;
  if (plan.crash.mean_interval == Duration{} || !random.chance(300)) return;
  plan.damaged = static_cast<int>(random.between(100, 600));
}

/// Receivers that close idle connections. A draw of its own too.
void draw_connection_lost(Plan& plan) {
  Random random(plan.seed, "connection lost");
  if (random.chance(500)) plan.network.connection_lost = static_cast<int>(random.between(1, 200));
}

/// Little memory for transactions in flight. A draw of its own too.
void draw_in_flight(Plan& plan) {
  Random random(plan.seed, "in flight");
  // Where so little waits for one that hangs, all wait for it.
  if (plan.scenario == "isolation") return;
  if (random.chance(400)) plan.engine.in_flight_bytes_max = draw_size(random, 1, 20'000);
}

/// Past the time of everything that is kept for a time. A draw of its own too, and of histories
/// that do little at rest.
void draw_retention(Plan& plan) {
  Random random(plan.seed, "retention");
  const bool asks_often = plan.members > 1 || plan.engine.fleet;
  if (asks_often || plan.mean_clock_jump_pause > Duration{} || !random.chance(200)) return;
  plan.outlives_retention = true;
  // Longer than any append is tried again.
  plan.engine.streams.each.idempotency_retain = minutes{random.between(30, 60)};
  for (auto& [name, stream] : plan.engine.streams.declared) {
    stream.retain = minutes{random.between(1, 60)};
  }
}

void draw_workload(Random& random, WorkloadPlan& workload) {
  workload.streams = static_cast<int>(random.between(1, 3));
  workload.services = static_cast<int>(random.between(1, 5));
  workload.appends = static_cast<int>(random.between(10, 80));
  workload.facts_max = static_cast<int>(draw_limit(random, 1, 30));
  workload.padding_max = static_cast<int>(draw_limit(random, 0, 2000));
  if (random.chance(100)) workload.huge = static_cast<int>(random.between(1, 20));
  if (random.chance(750)) workload.webhooks = static_cast<int>(random.between(100, 700));
  workload.keyed = static_cast<int>(draw_limit(random, 0, 1000));
  workload.mean_pause = milliseconds{draw_limit(random, 1, 2000)};
}

void add_network_faults(Random& random, NetworkFaults& network) {
  const auto rate = [&random] {
    return random.chance(500) ? static_cast<int>(random.between(1, 150)) : 0;
  };
  network.refused = rate();
  network.reset_before = rate();
  network.answer_lost = rate();
  network.hangs = rate() / 3;
  network.client_error = rate();
  network.server_error = rate();
  network.too_many = rate();
  network.redirect = rate() / 3;
  network.duplicated = rate();
  network.gone = rate() / 3;
  if (random.chance(500)) network.too_large = static_cast<int>(random.between(50, 900));
  network.large_facts = draw_limit(random, 1, 10);
  network.typical_latency = milliseconds{random.between(1, 200)};
  if (random.chance(500)) network.mean_outage = seconds{random.between(5, 600)};
}

void add_disk_faults(Random& random, DiskFaults& disk) {
  if (random.chance(600)) disk.sync_fails = static_cast<int>(random.between(5, 100));
  if (random.chance(400)) disk.write_fails = static_cast<int>(random.between(1, 20));
  if (random.chance(400)) disk.read_fails = static_cast<int>(random.between(1, 10));
  if (random.chance(300))
    disk.capacity_bytes = static_cast<std::uint64_t>(random.between(150, 600)) << 10;
}

void add_remote_faults(Random& random, RemoteFaults& remote) {
  remote.lost = static_cast<int>(random.between(1, 50));
  remote.answers_lost = static_cast<int>(random.between(1, 100));
  remote.typical_absence = milliseconds{random.between(1, 5000)};
}

void add_crashes(Random& random, CrashPlan& crash) {
  crash.mean_interval = seconds{random.between(1, 60)};
  crash.power_lost = static_cast<int>(draw_limit(random, 0, 1000));
  crash.inside_commit = static_cast<int>(random.between(200, 900));
  crash.after_disk_fault = static_cast<int>(draw_limit(random, 0, 500));
  crash.graceful = static_cast<int>(draw_limit(random, 0, 300));
}

void add_churn(Random& random, Plan& plan) {
  plan.workload.mean_operator_pause = milliseconds{random.between(200, 20'000)};
  if (random.chance(400)) plan.mean_clock_jump_pause = seconds{random.between(10, 120)};
}

/// One receiver is well, the others are as bad as can be, and nothing else goes wrong.
void isolate_one(Random& random, Plan& plan) {
  add_network_faults(random, plan.network);
  plan.network.mean_outage = seconds{random.between(60, 600)};
  plan.network.hangs = static_cast<int>(random.between(100, 500));
  plan.network.sound_host = "svc0.test";
  plan.engine.services.delivery.limits = {};
  plan.engine.services.delivery.request_timeout = seconds{60};
  plan.engine.sorter.facts_max = 200;
  plan.disk_pace = {.typical = std::chrono::microseconds{random.between(50, 500)},
                    .max = milliseconds{20}};
  plan.workload.services = std::max(plan.workload.services, 3);
  plan.workload.mean_pause = milliseconds{random.between(100, 2000)};
}

/// Syncs fail often, the process dies of it, and power goes soon after.
void let_disk_fail(Random& random, Plan& plan) {
  add_crashes(random, plan.crash);
  plan.disk.sync_fails = static_cast<int>(random.between(50, 400));
  plan.crash.mean_interval = seconds{random.between(1, 20)};
  plan.crash.power_lost = static_cast<int>(random.between(300, 1000));
  plan.crash.after_disk_fault = static_cast<int>(random.between(300, 1000));
}

/// Three processes on one database, which they reach as badly as each other.
void make_fleet(Random& random, Plan& plan) {
  plan.members = 3;
  plan.engine.fleet =
      FleetSettings{.instance_name = "", .poll_interval = milliseconds{random.between(50, 500)}};
  plan.has_bus = random.chance(700);
  if (random.chance(700)) plan.air.lost = static_cast<int>(random.between(1, 300));
  plan.air.longest_delay = milliseconds{draw_limit(random, 1, 3000)};
  if (random.chance(500)) {
    plan.air.mean_silence = milliseconds{random.between(100, 20'000)};
    plan.air.mean_contact = seconds{random.between(1, 60)};
  }
  if (random.chance(500)) add_remote_faults(random, plan.remote);
  if (random.chance(300)) add_network_faults(random, plan.network);
  plan.network.longest_connect = milliseconds{900};
  if (random.chance(700)) {
    plan.crash.mean_interval = seconds{random.between(2, 60)};
    plan.crash.pauses = static_cast<int>(draw_limit(random, 0, 1000));
    plan.crash.graceful = static_cast<int>(random.between(0, 500));
  }
  plan.crash.one_stays_dead = random.chance(200);
  if (random.chance(300)) add_churn(random, plan);
  plan.engine.services.delivery.backoff.max = seconds{random.between(8, 30)};
}

/// The same, and they are started with other files again and again.
void roll_out(Random& random, Plan& plan) {
  make_fleet(random, plan);
  plan.crash.mean_interval = seconds{random.between(2, 60)};
  plan.crash.pauses = static_cast<int>(random.between(0, 500));
  plan.files.resize(static_cast<std::size_t>(random.between(2, 4)));
  for (ServiceFile& file : plan.files) {
    for (const char* service : {"file0", "file1", "file2"}) {
      if (random.chance(600)) file[service] = static_cast<int>(random.between(1, 2));
    }
  }
}

}  // namespace

const std::vector<std::string>& scenario_names() {
  static const std::vector<std::string> names = {"calm",   "network", "disk",      "crash",
                                                 "churn",  "swarm",   "isolation", "failing_disk",
                                                 "remote", "fleet",   "rollout"};
  return names;
}

Plan draw_plan(std::uint64_t seed, std::string_view scenario) {
  Random random(seed, "plan");
  Plan plan;
  plan.seed = seed;
  plan.scenario = scenario;
  draw_engine(random, plan);
  draw_acknowledge_behind(plan);
  draw_workload(random, plan.workload);
  const bool swarm = scenario == "swarm";
  const auto has = [&](std::string_view kind, int permille) {
    const bool drawn = random.chance(permille);
    return scenario == kind || (swarm && drawn);
  };
  if (has("network", 700)) add_network_faults(random, plan.network);
  if (has("disk", 400)) add_disk_faults(random, plan.disk);
  if (has("remote", 150)) {
    add_remote_faults(random, plan.remote);
    // What tells afterwards whether a commit has happened is the session.
    plan.engine.fleet = FleetSettings{.instance_name = "one", .poll_interval = milliseconds{500}};
  }
  if (has("crash", 600)) add_crashes(random, plan.crash);
  if (has("churn", 500)) add_churn(random, plan);
  if (scenario == "failing_disk") let_disk_fail(random, plan);
  if (scenario == "isolation") isolate_one(random, plan);
  if (scenario == "fleet") make_fleet(random, plan);
  if (scenario == "rollout") roll_out(random, plan);
  if (swarm || scenario == "network" || scenario == "fleet") draw_connection_lost(plan);
  const Duration retain =
      random.chance(500) ? Duration(minutes{random.between(1, 30)}) : Duration(hours{24 * 7});
  const int without_rooms = random.chance(300) ? 500 : 0;
  for (int i = 0; i < plan.workload.streams; ++i) {
    plan.engine.streams.declared[fmt::format("s{}", i)] = {
        .format = random.chance(without_rooms) ? "json" : "matrix",
        .attributes = {},
        .retain = retain};
  }
  if (random.chance(300)) plan.workload.refused = static_cast<int>(random.between(10, 200));
  draw_damage(plan);
  draw_in_flight(plan);
  draw_retention(plan);
  return plan;
}

}  // namespace postrider::sim
