#pragma once

#include "sim/history/context.hpp"

namespace postrider::sim {

/// Starts a process, lets it crash as planned, and starts it again.
class LifeCycle {
 public:
  LifeCycle(Context& context, std::size_t index, Random random)
      : context_(context),
        index_(index),
        random_(random),
        damages_(context.plan.seed, "damages"),
        files_(context.plan.seed, context.members[index].instance_name + " files") {}

  void start();
  void boot();
  /// After each step of the timeline: power may have been lost in it, or the time come to die.
  void after_step();
  /// No crash from now on, and no pause.
  void heal();
  /// As by `kill -9`; for the end of the history too.
  void kill();
  /// The same, for good.
  void retire();

  /// How much memory the engine of the last process held when it ended.
  [[nodiscard]] std::int64_t held_bytes() const { return held_bytes_; }
  [[nodiscard]] std::int64_t crashes() const { return crashes_; }

 private:
  Member& member() { return context_.members[index_]; }
  Result<void> open();
  Result<void> damage(SqlConnection& connection);
  void boot_later();
  void plan_crash();
  void crash();
  void crash_after_disk_fault();
  void stop_gracefully();
  void pause();

  Context& context_;
  std::size_t index_;
  Random random_;
  Random damages_;
  Random files_;
  std::optional<std::uint64_t> dies_at_step_;
  bool power_goes_ = false;  ///< with the crash that is under way, not only the process
  std::uint64_t disk_faults_ = 0;
  std::int64_t crashes_ = 0;
  std::int64_t held_bytes_ = 0;
  std::uint64_t generation_ = 0;
};

}  // namespace postrider::sim
