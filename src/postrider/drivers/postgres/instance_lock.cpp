#include "postrider/drivers/postgres/instance_lock.hpp"

#include "postrider/base/log.hpp"
#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

using std::chrono::milliseconds;

// What has just ended may hold the lock for a moment more.
constexpr milliseconds wait{2000};
constexpr int first_attempts_max = 6;

constexpr Statement name_sql{"SELECT 'postrider ' || replace(gen_random_uuid()::text, '-', '')"};
constexpr Statement lock_sql{"SELECT pg_advisory_lock(hashtextextended($1, 0))"};
// The server keeps the number of a lock in two halves. What is of another user is NULL.
constexpr Statement holder_sql{
    "SELECT a.pid, coalesce(a.application_name, ''), coalesce(a.state = 'idle', false)::int,"
    " coalesce(extract(epoch FROM clock_timestamp() - a.state_change) * 1000, 0)::bigint"
    " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND a.datid = l.database"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
    " AND a.datname = current_database() AND a.pid <> pg_backend_pid()"
    " AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended($1, 0)"};
// Its name is not that of any other one, whatever has become of the number.
constexpr Statement end_sql{
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid = $1::bigint AND application_name = $2"};

Result<void> end(PostgresConnection& connection, std::int64_t backend, std::string_view name) {
  TRY_VOID(connection.SqlConnection::execute(end_sql, {backend, name}));
  return {};
}

}  // namespace

Result<void> InstanceLock::take(PostgresConnection& connection) {
  const bool is_first = connection_name_.empty();
  TRY_VOID(name_connection(connection));
  if (!is_first) TRY_VOID(end_own(connection));
  TRY_VOID(connection.execute_once(fmt::format("SET lock_timeout = {}", wait.count())));
  const std::string name = fmt::format("{}/{}", schema_, instance_name_);
  for (int attempts = is_first ? first_attempts_max : 1; attempts > 0; --attempts) {
    const auto taken = connection.SqlConnection::execute(lock_sql, {std::string_view(name)});
    if (taken) return connection.execute_once("SET lock_timeout = 0");
    if (taken.error().code != Code::storage_unavailable) return std::unexpected(taken.error());
    TRY(const bool goes_on, may_be_dead(connection));
    if (!goes_on) break;
  }
  return fail(Code::storage_locked,
              "another postrider named {} works on schema {} of this database; stop it, or give"
              " this one another instance_name. One that is dead is replaced once it has said"
              " nothing for {}",
              instance_name_, schema_, format_duration(silence_max_));
}

Result<void> InstanceLock::name_connection(PostgresConnection& connection) {
  if (connection_name_.empty()) {
    TRY_VOID(connection.SqlConnection::execute(
        name_sql, {}, [this](const SqlRow& row) { connection_name_ = row.text(0); }));
  }
  return connection.execute_once(fmt::format("SET application_name = '{}'", connection_name_));
}

Result<InstanceLock::Holder> InstanceLock::read_holder(PostgresConnection& connection) const {
  const std::string name = fmt::format("{}/{}", schema_, instance_name_);
  Holder holder;
  TRY_VOID(connection.SqlConnection::execute(
      holder_sql, {std::string_view(name)}, [&holder](const SqlRow& row) {
        holder = {.backend = row.integer(0),
                  .connection_name = std::string(row.text(1)),
                  .is_idle = row.integer(2) != 0,
                  .silence = milliseconds{row.integer(3)}};
      }));
  return holder;
}

Result<void> InstanceLock::end_own(PostgresConnection& connection) const {
  TRY(const Holder holder, read_holder(connection));
  if (holder.backend == 0 || holder.connection_name != connection_name_) return {};
  log_warn(
      "database: the connection before was lost and the server has not noticed; backend {}, which"
      " still has the name {} of this process, is ended",
      holder.backend, instance_name_);
  return end(connection, holder.backend, holder.connection_name);
}

/// After a wait. Ends the holder when it is taken for dead; true while it may turn out to be.
Result<bool> InstanceLock::may_be_dead(PostgresConnection& connection) const {
  TRY(const Holder holder, read_holder(connection));
  if (holder.backend == 0) return true;
  if (!holder.is_idle || holder.silence <= silence_max_) return holder.silence > wait;
  log_warn(
      "database: backend {} has the name {} and has said nothing for {}; its process is taken for"
      " dead, and the backend is ended",
      holder.backend, instance_name_, format_duration(holder.silence));
  TRY_VOID(end(connection, holder.backend, holder.connection_name));
  return true;
}

}  // namespace postrider
