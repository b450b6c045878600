#pragma once

#include "postrider/base/time.hpp"

namespace postrider {

/// While one exists, SIGINT and SIGTERM are remembered instead of ending the process; a second one
/// ends it. Blocking system calls return. At most one exists at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

  [[nodiscard]] bool interrupted() const;
  /// Waits; false when a signal ended the wait early, or had come before.
  bool pause(Duration duration) const;
  /// Waits until a signal comes.
  void wait() const;
};

}  // namespace postrider
