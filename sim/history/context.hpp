#pragma once

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/disk/disk_vfs.hpp"
#include "sim/history/process.hpp"
#include "sim/history/trace.hpp"

namespace postrider::sim {

/// One of the processes that work on the database, through its lives.
struct Member {
  std::string instance_name;
  std::size_t file = 0;  ///< of the plan's, that the process has started with
  std::unique_ptr<Process> process;
  bool ready = false;    ///< the process has started
  bool retired = false;  ///< it is not started again

  [[nodiscard]] Process* running() const { return ready ? process.get() : nullptr; }
};

/// The world of one history, and the processes that run in it now.
struct Context {
  Context(Plan drawn, bool prints)
      : plan(std::move(drawn)),
        remote(plan.remote),
        timeline(Random(plan.seed, "schedule")),
        runtime(timeline, Random(plan.seed, "world")),
        trace(timeline, prints),
        disk(Random(plan.seed, "disk")),
        vfs("simulated", disk, Random(plan.seed, "vfs")),
        ledger(referee, timeline),
        judge(referee, ledger, registrations, plan.engine.services.delivery),
        network(runtime, judge, trace, plan.network, Random(plan.seed, "network")),
        air(Random(plan.seed, "air"), plan.air),
        members(static_cast<std::size_t>(plan.members)) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      members[i].instance_name = fmt::format("w{}", i + 1);
    }
  }

  Plan plan;
  RemoteFaults remote;
  Timeline timeline;
  VirtualRuntime runtime;  ///< of all that is not the process
  Trace trace;
  Referee referee;
  Disk disk;
  DiskVfs vfs;
  Ledger ledger;
  Registrations registrations;
  Judge judge;
  Network network;
  Air air;
  std::vector<Member> members;
  std::size_t deliverer = 0;  ///< the member that delivers, or did so last
  std::int64_t processes = 0;
  bool healed = false;          ///< faults have stopped
  bool past_retention = false;  ///< everything that is kept for a time is past it

  [[nodiscard]] SqliteSettings database() const {
    SqliteSettings settings{.path = "/postrider.db", .size_max_bytes = 0, .vfs = vfs.name()};
    settings.checkpoint_bytes = plan.checkpoint_bytes;
    return settings;
  }
  [[nodiscard]] bool is_fleet() const { return members.size() > 1; }
  /// IDs come from a sequence, and some of them are never used.
  [[nodiscard]] bool ids_have_gaps() const { return plan.engine.fleet.has_value(); }
  /// The process that delivers, while it takes requests.
  Process* delivering() {
    Process* const process = members[deliverer].running();
    return process != nullptr && process->engine().delivery() ? process : nullptr;
  }
  Engine* engine() { return delivering() == nullptr ? nullptr : &delivering()->engine(); }
  /// One that takes requests; alone, only while it delivers.
  Process* any(Random& random) {
    if (!is_fleet()) return delivering();
    return members[random.below(members.size())].running();
  }
  void later(Duration after, std::function<void()> what) {
    runtime.call_at(timeline.now() + after, std::move(what));
  }
};

}  // namespace postrider::sim
