#include "postrider/lease/session.hpp"

namespace postrider {

void Session::adopt(BegunSession begun) {
  begun_ = begun;
  beats_ = 0;
}

Result<void> Session::enter(SqlConnection& connection) {
  return beat(connection, begun_.instance, begun_.session, ended());
}

Result<bool> Session::was_committed(SqlConnection& connection) {
  TRY(const auto beats, read_beats(connection, begun_.instance, begun_.session));
  if (!beats) return std::unexpected(ended());
  return std::exchange(beats_, *beats) < *beats;
}

Error Session::ended() const {
  return fail(Code::session_ended,
              "session {} of {} has ended: the process was silent for too long, or another one has"
              " begun under its name",
              begun_.session, instance_name_)
      .error();
}

}  // namespace postrider
