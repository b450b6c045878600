#include "postrider/store/sessions.hpp"

namespace postrider {
namespace {

constexpr Statement next_session_sql{
    "UPDATE newest_session SET session_key = session_key + 1 WHERE one = 1 RETURNING session_key"};
constexpr Statement name_sql{"UPDATE newest_session SET fleet = $1 WHERE one = 1 AND fleet = ''"};
constexpr Statement newest_sql{"SELECT session_key FROM newest_session WHERE one = 1"};

constexpr Statement begin_sql{
    "INSERT INTO sessions (instance_name, session_key, started_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (instance_name) DO UPDATE SET session_key = excluded.session_key,"
    " started_at = excluded.started_at, beats = 0, ended_at = NULL RETURNING instance_key"};

constexpr Statement heartbeat_sql{
    "UPDATE sessions SET beats = beats + 1"
    " WHERE instance_key = $1 AND session_key = $2 AND ended_at IS NULL"};
constexpr Statement heartbeats_sql{
    "SELECT beats, ended_at FROM sessions WHERE instance_key = $1 AND session_key = $2"};

constexpr Statement propose_interval_sql{
    "UPDATE newest_session SET session_interval_ms = $1 WHERE one = 1"
    " AND (session_interval_ms = 0 OR NOT EXISTS"
    " (SELECT 1 FROM sessions WHERE instance_key <> $2 AND ended_at IS NULL))"};
constexpr Statement interval_sql{"SELECT session_interval_ms FROM newest_session WHERE one = 1"};

// A session in the middle of a transaction is skipped, so that nobody waits for its row: the
// database server soon ends a transaction in which nothing happens.
constexpr Statement expire_sql{
    "UPDATE sessions SET ended_at = $4 WHERE instance_key IN"
    " (SELECT instance_key FROM sessions WHERE instance_key = $1 AND session_key = $2"
    " AND beats = $3 AND ended_at IS NULL FOR UPDATE SKIP LOCKED)"};
constexpr Statement end_sql{
    "UPDATE sessions SET ended_at = $3"
    " WHERE instance_key = $1 AND session_key = $2 AND ended_at IS NULL"};

constexpr Statement forget_sql{
    "DELETE FROM sessions WHERE instance_key IN"
    " (SELECT instance_key FROM sessions WHERE instance_key = $1 AND session_key = $2"
    " AND ended_at IS NOT NULL FOR UPDATE SKIP LOCKED)"};
constexpr Statement forget_position_sql{
    "DELETE FROM writer_positions WHERE stream_key = $1 AND instance_key = $2"};

constexpr Statement position_sql{
    "INSERT INTO writer_positions (stream_key, instance_key, position) VALUES ($1, $2, $3)"
    " ON CONFLICT (stream_key, instance_key) DO UPDATE SET position = excluded.position"
    " WHERE writer_positions.position < excluded.position"};

// One statement, so that all of it is of one moment. Positions stand in rows of their own behind
// the session that they belong to.
constexpr Statement read_sql{
    "SELECT n.session_key, s.instance_key, s.instance_name, s.session_key, s.beats, s.ended_at,"
    " p.stream_key, p.position, n.fleet, n.session_interval_ms, s.configuration"
    " FROM newest_session n"
    " LEFT JOIN sessions s ON s.session_key > 0"
    " LEFT JOIN writer_positions p ON p.instance_key = s.instance_key"
    " WHERE n.one = 1 ORDER BY s.instance_key, p.stream_key"};

std::optional<WallTime> ended_at_of(const SqlRow& row) {
  if (row.is_null(5)) return std::nullopt;
  return wall_time(row.integer(5));
}

Result<std::optional<std::int64_t>> read_optional(SqlConnection& connection,
                                                  const Statement& statement,
                                                  std::initializer_list<SqlValue> values) {
  std::optional<std::int64_t> number;
  TRY_VOID(connection.execute(statement, values,
                              [&number](const SqlRow& row) { number = row.integer(0); }));
  return number;
}

}  // namespace

Result<BegunSession> begin_session(SqlConnection& connection, std::string_view instance_name,
                                   WallTime now) {
  BegunSession begun;
  TRY(const auto next, read_optional(connection, next_session_sql, {}));
  begun.session = SessionKey{next.value_or(0)};
  TRY(const auto instance,
      read_optional(connection, begin_sql,
                    {instance_name, begun.session.value, unix_milliseconds(now)}));
  begun.instance = InstanceKey{instance.value_or(0)};
  return begun;
}

Result<void> name_fleet(SqlConnection& connection, std::string_view fleet) {
  return connection.enqueue(name_sql, {fleet});
}

Result<void> propose_session_interval(SqlConnection& connection, InstanceKey instance,
                                      Duration interval) {
  const auto rounded = std::chrono::round<std::chrono::milliseconds>(interval);
  return connection.enqueue(propose_interval_sql, {std::int64_t{rounded.count()}, instance.value});
}

Result<Duration> read_session_interval(SqlConnection& connection) {
  TRY(const auto stored, read_optional(connection, interval_sql, {}));
  return std::chrono::milliseconds{stored.value_or(0)};
}

Result<void> count_heartbeat(SqlConnection& connection, InstanceKey instance, SessionKey session,
                             const Error& otherwise) {
  return connection.require(heartbeat_sql, {instance.value, session.value}, otherwise);
}

Result<std::optional<Heartbeats>> read_heartbeats(SqlConnection& connection, InstanceKey instance,
                                                  SessionKey session) {
  std::optional<Heartbeats> heartbeats;
  TRY_VOID(connection.execute(
      heartbeats_sql, {instance.value, session.value}, [&heartbeats](const SqlRow& row) {
        heartbeats = Heartbeats{.count = row.integer(0), .has_ended = !row.is_null(1)};
      }));
  return heartbeats;
}

Result<bool> expire_session(SqlConnection& connection, const SessionRow& session, WallTime now) {
  TRY(const std::int64_t ended,
      connection.execute(expire_sql, {session.instance.value, session.session.value,
                                      session.heartbeats, unix_milliseconds(now)}));
  return ended > 0;
}

Result<void> end_session(SqlConnection& connection, InstanceKey instance, SessionKey session,
                         WallTime now) {
  return connection.enqueue(end_sql, {instance.value, session.value, unix_milliseconds(now)});
}

Result<void> forget_instance(SqlConnection& connection, const SessionRow& session,
                             std::span<const StreamKey> streams) {
  TRY(const std::int64_t removed,
      connection.execute(forget_sql, {session.instance.value, session.session.value}));
  if (removed == 0) return {};
  for (const StreamKey stream : streams) {
    TRY_VOID(connection.enqueue(forget_position_sql, {stream.value, session.instance.value}));
  }
  return {};
}

Result<void> put_writer_position(SqlConnection& connection, const WriterPositionRow& row) {
  return connection.enqueue(position_sql,
                            {row.stream.value, row.instance.value, row.position.value});
}

Result<StoredSessions> read_sessions(SqlConnection& connection) {
  StoredSessions stored;
  TRY_VOID(connection.execute(read_sql, {}, [&stored](const SqlRow& row) {
    stored.newest = SessionKey{row.integer(0)};
    stored.fleet = row.text(8);
    stored.session_interval = std::chrono::milliseconds{row.integer(9)};
    if (row.is_null(1)) return;
    const InstanceKey instance{row.integer(1)};
    if (stored.sessions.empty() || stored.sessions.back().instance != instance) {
      stored.sessions.push_back({.instance = instance,
                                 .instance_name = std::string(row.text(2)),
                                 .session = SessionKey{row.integer(3)},
                                 .heartbeats = row.integer(4),
                                 .ended_at = ended_at_of(row),
                                 .configuration = SessionKey{row.integer(10)}});
    }
    if (row.is_null(6)) return;
    stored.positions.push_back({StreamKey{row.integer(6)}, instance, StreamId{row.integer(7)}});
  }));
  return stored;
}

Result<SessionKey> read_newest_session(SqlConnection& connection) {
  TRY(const auto newest, read_optional(connection, newest_sql, {}));
  return SessionKey{newest.value_or(0)};
}

}  // namespace postrider
