#pragma once

#include <chrono>
#include <cstdint>

namespace postrider {

/// Intervals and deadlines. Comes from `Runtime::now()` only.
struct MonoClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoClock::time_point;
using Duration = MonoClock::duration;

/// Unix time in milliseconds, the form that is stored and shown. May jump.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

inline std::int64_t unix_milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime wall_time(std::int64_t unix_ms) {
  return WallTime{std::chrono::milliseconds{unix_ms}};
}
inline double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace postrider
