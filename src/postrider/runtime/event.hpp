#pragma once

#include <functional>
#include <list>
#include <optional>

#include "postrider/runtime/async.hpp"
#include "postrider/runtime/runtime.hpp"

namespace postrider {

enum class Wake { notified, timed_out };

/// A level that coroutines wait on: check the condition, then wait, then check it again. One
/// engine thread; must outlive its waiters.
class Event {
 public:
  explicit Event(Runtime& runtime) : runtime_(runtime) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() = default;

  /// Wakes everyone who waits now.
  void notify_all();
  /// Wakes the one that has waited longest; false when none waits.
  bool notify_one();

  Async<void> wait();
  Async<Wake> wait_until(MonoTime deadline);

 private:
  struct Waiter {
    std::move_only_function<void(Wake)> resume;
    std::optional<Runtime::TimerId> timer;
  };
  void wake(Waiter& waiter);
  void add_waiter(std::move_only_function<void(Wake)> resume, std::optional<MonoTime> deadline);

  Runtime& runtime_;
  std::list<Waiter> waiters_;
};

}  // namespace postrider
