#pragma once

#include <cstddef>

#include "postrider/runtime/event.hpp"

namespace postrider {

/// Lets so many coroutines at a time, in the order they came, through a stretch that suspends.
/// Engine thread; must outlive whoever waits for it.
class AsyncSemaphore {
 public:
  AsyncSemaphore(Runtime& runtime, std::size_t places) : free_(places), handed_over_(runtime) {}

  Async<void> acquire() {
    if (free_ == 0) co_return co_await handed_over_.wait();
    free_ -= 1;
  }
  /// By whoever acquired it. Goes to the one that has waited longest, without anyone in between.
  void release() {
    if (!handed_over_.notify_one()) free_ += 1;
  }

 private:
  std::size_t free_;
  Event handed_over_;
};

}  // namespace postrider
