#pragma once

#include <map>
#include <span>
#include <vector>

#include "postrider/base/time.hpp"
#include "postrider/store/sessions.hpp"

namespace postrider {

/// Finds the sessions that have had no heartbeat for an interval. The interval is measured by the
/// clock of this process, from when it first saw the last heartbeat: no clock is compared with
/// another's. One thread.
class FailureDetector {
 public:
  explicit FailureDetector(Duration interval) : interval_(interval) {}

  void set_interval(Duration interval) { interval_ = interval; }

  /// `sessions` were read by `now`, which never goes back. Gives those that have had no heartbeat
  /// for the interval, each time until they have ended.
  std::vector<SessionRow> observe(std::span<const SessionRow> sessions, MonoTime now);
  /// The database could not be read, so that no heartbeat could be seen: all intervals begin again.
  void reset() { last_heartbeats_.clear(); }

 private:
  struct LastHeartbeat {
    SessionKey session;
    std::int64_t heartbeats = 0;
    MonoTime seen_at;
  };
  Duration interval_;
  std::map<InstanceKey, LastHeartbeat> last_heartbeats_;
};

}  // namespace postrider
