#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>

#include "postrider/runtime/lane.hpp"
#include "sim/world/timeline.hpp"

namespace postrider::sim {

/// The runtime of one process on a timeline. When it ends, everything that it had under way is
/// gone: coroutines are destroyed where they stand.
class VirtualRuntime final : public Runtime {
 public:
  using Task = std::move_only_function<void()>;

  /// With a timeline of its own.
  VirtualRuntime();
  VirtualRuntime(Timeline& timeline, Random chance);
  ~VirtualRuntime() override;

  [[nodiscard]] MonoTime now() const noexcept override { return timeline_.now(); }
  [[nodiscard]] WallTime wall_now() const noexcept override { return timeline_.wall_now(); }
  std::uint64_t random(std::uint64_t bound) override { return chance_.below(bound); }
  [[nodiscard]] boost::asio::any_io_executor executor() override;
  TimerId call_at(MonoTime when, std::move_only_function<void()> callback) override;
  bool cancel(TimerId timer) override;

  void post(Task task);
  /// As by SIGSTOP: nothing of it runs until it goes on, while time passes.
  void set_paused(bool paused) { paused_ = paused; }
  [[nodiscard]] bool is_paused() const { return paused_; }
  /// Drops all tasks and timers, and refuses new ones.
  void end();
  [[nodiscard]] bool ended() const { return ended_; }

  bool run_until(const std::function<bool()>& condition, Duration limit = std::chrono::hours{1}) {
    return timeline_.run_until(condition, limit);
  }
  void run_for(Duration duration) { timeline_.run_for(duration); }

 private:
  friend class Timeline;
  class Executor;

  std::unique_ptr<Timeline> own_timeline_;
  Timeline& timeline_;
  Random chance_;
  std::unique_ptr<boost::asio::execution_context> context_;
  std::vector<Task> ready_;
  TimerQueue timers_;
  bool paused_ = false;
  bool ended_ = false;
};

/// Blocking work, done at once, in a turn of its own.
class InlineLane final : public Lane {
 public:
  explicit InlineLane(VirtualRuntime& runtime) : runtime_(runtime) {}
  void post(std::move_only_function<void()> work, std::move_only_function<void()> done) override;

 private:
  VirtualRuntime& runtime_;
};

}  // namespace postrider::sim
