#pragma once

#include <utility>
#include <vector>

#include "sim/world/virtual_runtime.hpp"

namespace postrider::sim {

/// A lane that can be held: what is posted meanwhile is done once it is released.
class HeldLane final : public Lane {
 public:
  explicit HeldLane(VirtualRuntime& runtime) : lane_(runtime) {}

  void post(std::move_only_function<void()> work, std::move_only_function<void()> done) override {
    jobs_.emplace_back(std::move(work), std::move(done));
    if (!is_held_) release();
  }
  void hold() { is_held_ = true; }
  void release() {
    is_held_ = false;
    for (auto& [work, done] : std::exchange(jobs_, {})) {
      lane_.post(std::move(work), std::move(done));
    }
  }
  [[nodiscard]] std::size_t waiting() const { return jobs_.size(); }

 private:
  using Job = std::pair<std::move_only_function<void()>, std::move_only_function<void()>>;

  InlineLane lane_;
  std::vector<Job> jobs_;
  bool is_held_ = false;
};

}  // namespace postrider::sim
