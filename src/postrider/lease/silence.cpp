#include "postrider/lease/silence.hpp"

namespace postrider {

std::vector<SessionRow> SilenceWatch::observe(std::span<const SessionRow> sessions, MonoTime now) {
  std::vector<SessionRow> silent;
  for (const SessionRow& row : sessions) {
    if (!row.is_live) {
      heard_.erase(row.instance);
      continue;
    }
    const auto found = heard_.find(row.instance);
    const bool beats = found == heard_.end() || found->second.session != row.session ||
                       found->second.beats != row.beats;
    if (beats) {
      heard_.insert_or_assign(row.instance, Heard{row.session, row.beats, now});
    } else if (now - found->second.since >= interval_) {
      silent.push_back(row);
    }
  }
  return silent;
}

}  // namespace postrider
