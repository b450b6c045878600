#pragma once

#include "postrider/runtime/event.hpp"

namespace postrider {

/// Lets one coroutine at a time, in the order they came, through a stretch that suspends. Engine
/// thread; must outlive whoever waits for it.
class AsyncMutex {
 public:
  explicit AsyncMutex(Runtime& runtime) : handed_over_(runtime) {}

  Async<void> lock() {
    if (locked_) co_await handed_over_.wait();
    locked_ = true;
  }
  /// By whoever locked it. Goes to the one that has waited longest, without anyone in between.
  void unlock() { locked_ = handed_over_.notify_one(); }

 private:
  bool locked_ = false;
  Event handed_over_;
};

}  // namespace postrider
