#pragma once

#include "postrider/runtime/event.hpp"

namespace postrider {

/// Lets one coroutine at a time through a stretch that suspends. Engine thread.
class Turn {
 public:
  explicit Turn(Runtime& runtime) : given_(runtime) {}

  Async<void> take() {
    while (taken_) co_await given_.wait();
    taken_ = true;
  }
  void give() {
    taken_ = false;
    given_.notify_all();
  }

 private:
  bool taken_ = false;
  Event given_;
};

}  // namespace postrider
