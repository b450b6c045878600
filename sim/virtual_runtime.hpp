#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>

#include "postrider/runtime/lane.hpp"
#include "postrider/runtime/timer_queue.hpp"

namespace postrider::sim {

/// Time that passes only when nothing is left to do at this moment. One thread; two runs of the
/// same program are the same.
class VirtualRuntime final : public Runtime {
 public:
  [[nodiscard]] MonoTime now() const noexcept override { return now_; }
  [[nodiscard]] WallTime wall_now() const noexcept override;
  std::uint64_t random(std::uint64_t bound) override { return ++drawn_ % bound; }
  [[nodiscard]] boost::asio::any_io_executor executor() override { return io_.get_executor(); }
  TimerId call_at(MonoTime when, std::move_only_function<void()> callback) override;
  bool cancel(TimerId timer) override { return timers_.cancel(timer); }

  /// Runs until the condition holds; false when nothing is left that could make it true before
  /// `limit` of virtual time has passed.
  bool run_until(const std::function<bool()>& condition, Duration limit = std::chrono::hours{1});
  /// Runs until that much virtual time has passed.
  void run_for(Duration duration);

 private:
  bool step(MonoTime end);

  boost::asio::io_context io_{1};
  TimerQueue timers_;
  MonoTime now_{};
  std::uint64_t drawn_ = 0;
};

/// Blocking work, done at once, in a turn of its own.
class InlineLane final : public Lane {
 public:
  explicit InlineLane(Runtime& runtime) : runtime_(runtime) {}
  void post(std::move_only_function<void()> work, std::move_only_function<void()> done) override;

 private:
  Runtime& runtime_;
};

}  // namespace postrider::sim
