#pragma once

#include <atomic>

#include "postrider/base/time.hpp"

namespace postrider {

/// Until when requests may leave the process, by the clock of `Runtime::now()`. Given and taken
/// back on the engine thread, read on the thread of the HTTP client as the bytes leave.
class SendPermit {
 public:
  /// It does not hold.
  SendPermit() = default;
  explicit SendPermit(MonoTime until) : until_(until.time_since_epoch().count()) {}

  void extend(MonoTime until) { until_ = until.time_since_epoch().count(); }
  void withdraw() { until_ = never; }
  [[nodiscard]] bool holds(MonoTime now) const { return now.time_since_epoch().count() < until_; }

 private:
  static constexpr Duration::rep never = Duration::min().count();
  std::atomic<Duration::rep> until_ = never;
};

}  // namespace postrider
