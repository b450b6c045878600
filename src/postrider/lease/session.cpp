#include "postrider/lease/session.hpp"

namespace postrider {

void Session::adopt(BegunSession begun) {
  begun_ = begun;
  last_beat_ = 0;
}

Result<void> Session::enter(SqlConnection& connection) {
  TRY(const auto beats, beat(connection, begun_.instance, begun_.session));
  if (!beats) return ended();
  last_beat_ = *beats;
  return {};
}

Result<bool> Session::was_committed(SqlConnection& connection) const {
  TRY(const auto beats, read_beats(connection, begun_.instance, begun_.session));
  if (!beats) return ended();
  return *beats >= last_beat_;
}

std::unexpected<Error> Session::ended() const {
  return fail(Code::session_ended,
              "session {} of {} has ended: the process was silent for too long, or another one has"
              " begun under its name",
              begun_.session, instance_name_);
}

}  // namespace postrider
