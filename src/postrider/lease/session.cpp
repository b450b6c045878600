#include "postrider/lease/session.hpp"

#include <utility>

namespace postrider {

void Session::on_begun(BegunSession begun, MonoTime before) {
  begun_ = begun;
  has_ended_ = false;
  last_heartbeat_ = before;
  // What was begun under the session before must not leave under this one.
  permit_->withdraw();
  permit_ = std::make_shared<SendPermit>(before + interval_);
  heartbeats_ = 0;
}

void Session::on_ended() {
  has_ended_ = true;
  permit_->withdraw();
}

bool Session::is_valid(MonoTime now) const {
  return permit_->holds(now);
}

void Session::on_commit(MonoTime began, const Result<void>& outcome) {
  if (!outcome && outcome.error().code == Code::session_ended) on_ended();
  if (!outcome || has_ended_) return;
  last_heartbeat_ = began;
  permit_->extend(began + interval_);
}

Result<void> Session::heartbeat(SqlConnection& connection) {
  return count_heartbeat(connection, begun_.instance, begun_.session, ended());
}

Result<bool> Session::was_committed(SqlConnection& connection) {
  TRY(const auto counted, read_heartbeats(connection, begun_.instance, begun_.session));
  if (!counted) return std::unexpected(ended());
  return std::exchange(heartbeats_, counted->count) < counted->count;
}

/// Whoever ends a session waits for the transaction that counts up its heartbeats.
Result<bool> Session::was_committed_at_last(SqlConnection& other) {
  TRY(const auto counted, read_heartbeats(other, begun_.instance, begun_.session));
  if (counted && !counted->has_ended) {
    return fail(Code::storage_unavailable, "session {} goes on, and so may its last commit",
                begun_.session);
  }
  if (counted && heartbeats_ < counted->count) return true;
  return std::unexpected(ended());
}

Error Session::ended() const {
  return fail(Code::session_ended,
              "session {} of {} has ended: it had no heartbeat for too long, or another process has"
              " begun one under the same name",
              begun_.session, instance_name_)
      .error();
}

}  // namespace postrider
