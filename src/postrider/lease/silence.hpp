#pragma once

#include <map>
#include <span>
#include <vector>

#include "postrider/base/time.hpp"
#include "postrider/store/sessions.hpp"

namespace postrider {

/// Listens for the beats of sessions, and finds those that have had none for an interval. Measured
/// by the clock of who listens, from when it began to: no clock is compared with another's.
class SilenceWatch {
 public:
  explicit SilenceWatch(Duration interval) : interval_(interval) {}

  /// What was read of all sessions, and when. Gives those that were silent for the interval.
  std::vector<SessionRow> observe(std::span<const SessionRow> sessions, MonoTime now);
  /// The database could not be read: nobody can have been heard meanwhile, so all begin anew.
  void interrupt() { heard_.clear(); }

 private:
  struct Heard {
    SessionKey session;
    std::int64_t beats = 0;
    MonoTime since;
  };
  Duration interval_;
  std::map<InstanceKey, Heard> heard_;
};

}  // namespace postrider
