#pragma once

#include "postrider/runtime/event.hpp"

namespace postrider {

/// Lets one coroutine at a time, in the order they came, through a stretch that suspends. Engine
/// thread.
class Turn {
 public:
  explicit Turn(Runtime& runtime) : handed_over_(runtime) {}

  Async<void> take() {
    if (taken_) co_await handed_over_.wait();
    taken_ = true;
  }
  /// To whoever waited longest, without anyone in between.
  void give() { taken_ = handed_over_.notify_one(); }

 private:
  bool taken_ = false;
  Event handed_over_;
};

}  // namespace postrider
