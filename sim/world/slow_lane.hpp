#pragma once

#include <deque>

#include "sim/world/virtual_runtime.hpp"

namespace postrider::sim {

/// A lane whose jobs take time: one after the other, each a drawn while.
class SlowLane final : public Lane {
 public:
  struct Pace {
    Duration typical = std::chrono::microseconds{200};
    Duration max = std::chrono::milliseconds{50};
  };

  SlowLane(VirtualRuntime& runtime, Random random, Pace pace)
      : runtime_(runtime), random_(random), pace_(pace) {}

  /// The process has ended: what waits is destroyed.
  void drop_jobs() { jobs_.clear(); }
  void post(std::move_only_function<void()> work, std::move_only_function<void()> done) override;

 private:
  struct Job {
    std::move_only_function<void()> work;
    std::move_only_function<void()> done;
  };
  void begin_next();

  VirtualRuntime& runtime_;
  Random random_;
  Pace pace_;
  std::deque<Job> jobs_;
};

}  // namespace postrider::sim
