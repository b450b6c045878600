#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/base/time.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// One row for each instance that is not forgotten; its last session.
struct SessionRow {
  InstanceKey instance;
  std::string instance_name;
  SessionKey session;
  std::int64_t heartbeats = 0;  ///< counts the transactions of the session
  std::optional<WallTime> ended_at;
  SessionKey configuration{};  ///< that it has (declarations.hpp); 0: not known

  [[nodiscard]] bool is_live() const { return !ended_at; }
};

/// Inside the transaction that begins a session: the interval of all sessions of this database is
/// `interval` from now on, if no other instance has a session or none was said before.
Result<void> propose_session_interval(SqlConnection& connection, InstanceKey instance,
                                      Duration interval);
/// Zero when none was said before.
Result<Duration> read_session_interval(SqlConnection& connection);

struct BegunSession {
  InstanceKey instance;
  SessionKey session;
};
/// Inside a transaction. Ends the session that the instance had.
Result<BegunSession> begin_session(SqlConnection& connection, std::string_view instance_name,
                                   WallTime now);
/// Names the fleet of this database, unless it has a name.
Result<void> name_fleet(SqlConnection& connection, std::string_view fleet);
/// Inside a transaction: counts one heartbeat. When the session has ended the transaction fails
/// with `otherwise`.
Result<void> count_heartbeat(SqlConnection& connection, InstanceKey instance, SessionKey session,
                             const Error& otherwise);
struct Heartbeats {
  std::int64_t count = 0;
  bool has_ended = false;  ///< their session, so that no more follow
};
/// Empty when the instance has begun another session since.
Result<std::optional<Heartbeats>> read_heartbeats(SqlConnection& connection, InstanceKey instance,
                                                  SessionKey session);
/// Ends it if it has had no heartbeat since the row was read; false when it had, or has ended.
Result<bool> expire_session(SqlConnection& connection, const SessionRow& session, WallTime now);
Result<void> end_session(SqlConnection& connection, InstanceKey instance, SessionKey session,
                         WallTime now);

/// Inside a transaction: the instance was never here, and its row is removed with its positions in
/// `streams`. Does nothing when it has begun another session since the row was read.
Result<void> forget_instance(SqlConnection& connection, const SessionRow& session,
                             std::span<const StreamKey> streams);

struct WriterPositionRow {
  StreamKey stream;
  InstanceKey instance;
  StreamId position;
};
/// A position that is not larger than the stored one changes nothing.
Result<void> put_writer_position(SqlConnection& connection, const WriterPositionRow& row);

/// Sessions and positions as they stood together at one moment.
struct StoredSessions {
  SessionKey newest;
  std::string fleet;            ///< drawn once for the database; empty before the first session
  Duration session_interval{};  ///< of all of them; zero before the first one
  std::vector<SessionRow> sessions;
  std::vector<WriterPositionRow> positions;
};
Result<StoredSessions> read_sessions(SqlConnection& connection);
Result<SessionKey> read_newest_session(SqlConnection& connection);

}  // namespace postrider
