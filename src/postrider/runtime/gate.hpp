#pragma once

#include <cstddef>
#include <string_view>

#include "postrider/runtime/event.hpp"

namespace postrider {

/// Owns the coroutines that a part of the engine has running, so that stopping it can wait for
/// them. One engine thread.
class Gate {
 public:
  explicit Gate(Runtime& runtime) : runtime_(runtime), changed_(runtime) {}

  /// Starts the coroutine. An exception that leaves it ends the process with the name.
  void spawn(Async<void> task, std::string_view name);

  /// Waits until everything that was spawned has ended.
  Async<void> drained();

  [[nodiscard]] std::size_t running() const { return running_; }

 private:
  Runtime& runtime_;
  Event changed_;
  std::size_t running_ = 0;
};

}  // namespace postrider
