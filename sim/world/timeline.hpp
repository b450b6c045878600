#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "postrider/runtime/timer_queue.hpp"
#include "sim/world/random.hpp"

namespace postrider::sim {

class VirtualRuntime;

/// The time and the order of everything that happens in one history. Time passes only when nothing
/// is left to do at this moment. Among what is ready, the seed chooses; without one, the oldest.
class Timeline {
 public:
  Timeline() = default;
  explicit Timeline(Random order) : order_(order) {}
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  [[nodiscard]] MonoTime now() const { return now_; }
  [[nodiscard]] WallTime wall_now() const;
  /// The wall clock is set forwards or back.
  void jump_wall_clock(Duration by) { wall_offset_ += by; }

  /// Does one thing; false when nothing is left to do before `end`.
  bool step(MonoTime end);
  /// Runs until the condition holds; false when nothing is left that could make it true before
  /// `limit` of virtual time has passed.
  bool run_until(const std::function<bool()>& condition, Duration limit = std::chrono::hours{1});
  /// Runs until that much virtual time has passed.
  void run_for(Duration duration);

  /// How many things were done.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  /// A number of what was done before what.
  [[nodiscard]] std::uint64_t order_hash() const { return order_hash_; }

 private:
  friend class VirtualRuntime;
  bool run_ready();
  VirtualRuntime* next_timer(MonoTime end) const;

  std::optional<Random> order_;
  std::vector<VirtualRuntime*> runtimes_;
  MonoTime now_{};
  Duration wall_offset_{};
  std::uint64_t steps_ = 0;
  std::uint64_t order_hash_ = 0;
};

}  // namespace postrider::sim
