#pragma once

#include <memory>
#include <string>

#include "sim/disk/disk_vfs.hpp"
#include "sim/history/process.hpp"
#include "sim/history/trace.hpp"

namespace postrider::sim {

/// The world of one history, and the process that runs in it now.
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
        judge(referee, ledger, registrations, plan.engine.delivery),
        network(runtime, judge, trace, plan.network, Random(plan.seed, "network")) {}

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

  std::unique_ptr<Process> process;
  bool ready = false;   ///< the process has started
  bool healed = false;  ///< faults have stopped

  /// The engine, while it takes requests and delivers.
  Engine* engine() { return ready && process->engine().delivery() ? &process->engine() : nullptr; }
  void later(Duration after, std::function<void()> what) {
    runtime.call_at(timeline.now() + after, std::move(what));
  }
};

}  // namespace postrider::sim
