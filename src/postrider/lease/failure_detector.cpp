#include "postrider/lease/failure_detector.hpp"

namespace postrider {

std::vector<SessionRow> FailureDetector::observe(std::span<const SessionRow> sessions,
                                                 MonoTime now) {
  std::vector<SessionRow> failed;
  for (const SessionRow& row : sessions) {
    if (!row.is_live()) {
      last_heartbeats_.erase(row.instance);
      continue;
    }
    const auto last = last_heartbeats_.find(row.instance);
    const bool is_alive = last == last_heartbeats_.end() || last->second.session != row.session ||
                          last->second.heartbeats != row.heartbeats;
    if (is_alive) {
      last_heartbeats_.insert_or_assign(row.instance,
                                        LastHeartbeat{row.session, row.heartbeats, now});
    } else if (now - last->second.seen_at >= interval_) {
      failed.push_back(row);
    }
  }
  return failed;
}

}  // namespace postrider
