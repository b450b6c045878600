#pragma once

#include <memory>

#include "postrider/runtime/runtime.hpp"

namespace postrider {

/// Real time on one thread: the one that calls `run()`.
class AsioRuntime final : public Runtime {
 public:
  AsioRuntime();
  ~AsioRuntime() override;

  /// Runs the engine until `stop()`. Called once.
  void run();
  /// Ends `run()`. From any thread.
  void stop();

  [[nodiscard]] MonoTime now() const noexcept override;
  [[nodiscard]] WallTime wall_now() const noexcept override;
  std::uint64_t random(std::uint64_t bound) override;
  [[nodiscard]] boost::asio::any_io_executor executor() override;
  TimerId call_at(MonoTime when, std::move_only_function<void()> callback) override;
  bool cancel(TimerId timer) override;

 private:
  struct State;
  void arm();
  void fire_due();

  std::unique_ptr<State> state_;
};

/// The system's clocks, for the few places that have no runtime at hand (log lines, the CLI, other
/// threads). The first is that of every `AsioRuntime::now()`.
MonoTime steady_now();
WallTime system_wall_now();

}  // namespace postrider
