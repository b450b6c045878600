#include "postrider/drivers/postgres/postgres_database.hpp"

#include "postrider/drivers/postgres/instance_lock.hpp"
#include "postrider/drivers/postgres/postgres_connection.hpp"
#include "postrider/store/migrations.hpp"
#include "postrider/store/sessions.hpp"

namespace postrider {
namespace {

constexpr std::int64_t version_min = 150'000;

constexpr Statement version_sql{"SELECT current_setting('server_version_num')::bigint"};
// A lock belongs to a connection, so one that is lost gives it back. What has just ended may hold
// it for a moment more.
constexpr Statement lock_sql{"SELECT pg_advisory_lock(hashtextextended($1, 0))"};

constexpr Statement schema_exists_sql{"SELECT count(*) FROM pg_namespace WHERE nspname = $1"};
constexpr Statement schema_rights_sql{
    "SELECT current_user::text, (has_schema_privilege($1, 'USAGE')"
    " AND has_schema_privilege($1, 'CREATE'))::int"};

constexpr Statement unfinished_copy_sql{"SELECT count(to_regclass('unfinished_copy'))"};

Result<void> check_version(PostgresConnection& connection) {
  std::int64_t version = 0;
  TRY_VOID(connection.SqlConnection::execute(
      version_sql, {}, [&version](const SqlRow& row) { version = row.integer(0); }));
  if (version >= version_min) return {};
  return fail(Code::storage_incompatible, "the server is PostgreSQL {}; use PostgreSQL 15 or newer",
              version / 10'000);
}

Result<void> take_lock(PostgresConnection& connection, const std::string& name,
                       std::string_view refusal) {
  TRY_VOID(connection.execute_once("SET lock_timeout = '2s'"));
  const auto taken = connection.SqlConnection::execute(lock_sql, {std::string_view(name)});
  if (taken) return connection.execute_once("SET lock_timeout = 0");
  if (taken.error().code != Code::storage_unavailable) return std::unexpected(taken.error());
  return fail(Code::storage_locked, "{}", refusal);
}

Result<void> check_copy(PostgresConnection& connection, const std::string& schema) {
  std::int64_t unfinished = 0;
  TRY_VOID(connection.SqlConnection::execute(
      unfinished_copy_sql, {}, [&unfinished](const SqlRow& row) { unfinished = row.integer(0); }));
  if (unfinished == 0) return {};
  return fail(Code::storage_incompatible,
              "schema {} holds a copy that is not finished; run the same `postrider db copy` again",
              schema);
}

/// Defaults of the database or the user that would stop us, or weaken what we promise.
Result<void> override_defaults(PostgresConnection& connection, std::chrono::milliseconds timeout,
                               bool writes) {
  return connection.execute_once(
      fmt::format("SET statement_timeout = {}; SET default_transaction_read_only = {};"
                  " SET default_transaction_isolation = 'read committed';"
                  " SET synchronous_commit = on; SET client_min_messages = warning",
                  timeout.count(), writes ? "off" : "on"));
}

Result<void> prepare_session(PostgresConnection& connection, const PostgresSettings& settings,
                             Database::Access access) {
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings.statement_timeout);
  const auto idle =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings.transaction_idle_max);
  const bool writes = access == Database::Access::read_write;
  TRY_VOID(override_defaults(connection, timeout, writes));
  return connection.execute_once(
      fmt::format("SET application_name = 'postrider';"
                  " SET idle_in_transaction_session_timeout = {}; SET search_path = \"{}\"",
                  idle.count(), settings.schema));
}

/// A schema that is there already may have been made by somebody who may do more than this user.
Result<void> use_schema(PostgresConnection& connection, const std::string& schema) {
  bool exists = false;
  TRY_VOID(connection.SqlConnection::execute(
      schema_exists_sql, {std::string_view(schema)},
      [&exists](const SqlRow& row) { exists = row.integer(0) > 0; }));
  if (!exists) {
    const auto created =
        connection.execute_once(fmt::format("CREATE SCHEMA IF NOT EXISTS \"{}\"", schema));
    if (!created && created.error().code == Code::storage_unavailable) return created;
    if (!created) {
      return fail(created.error().code,
                  "{}; to make schema {} the user needs GRANT CREATE ON DATABASE",
                  created.error().detail, schema);
    }
  }
  bool may_use = false;
  std::string user;
  TRY_VOID(connection.SqlConnection::execute(schema_rights_sql, {std::string_view(schema)},
                                             [&](const SqlRow& row) {
                                               user = row.text(0);
                                               may_use = row.integer(1) > 0;
                                             }));
  if (!may_use) {
    return fail(Code::storage_incompatible,
                "user {0} may not use schema {1}; let its owner say"
                " GRANT USAGE, CREATE ON SCHEMA \"{1}\" TO \"{0}\"",
                user, schema);
  }
  return connection.execute_once(fmt::format("SET search_path = \"{}\"", schema));
}

}  // namespace

Result<std::unique_ptr<PostgresDatabase>> PostgresDatabase::open(PostgresSettings settings) {
  std::unique_ptr<PostgresDatabase> database(new PostgresDatabase(std::move(settings)));
  const auto check = [](PostgresConnection& connection) { return check_version(connection); };
  TRY(const auto connection, PostgresConnection::open(database->settings_.url, check));
  const std::string& schema = database->settings_.schema;
  // A migration takes as long as it takes.
  TRY_VOID(override_defaults(*connection, std::chrono::milliseconds{0}, true));
  TRY_VOID(take_lock(*connection, schema,
                     fmt::format("another postrider migrates schema {}; try again", schema)));
  TRY_VOID(use_schema(*connection, schema));
  TRY_VOID(migrate(*connection, postgres_dialect));
  if (!database->settings_.takes_unfinished_copy) TRY_VOID(check_copy(*connection, schema));
  // Whoever lives need not say anything more often.
  TRY(const Duration interval, read_session_interval(*connection));
  database->settings_.silence_max = std::max(database->settings_.silence_max, interval);
  return database;
}

Result<std::unique_ptr<SqlConnection>> PostgresDatabase::connect(Access access) const {
  const auto prepare =
      [settings = settings_, access,
       lock = InstanceLock(settings_.schema, settings_.instance_name, settings_.silence_max)](
          PostgresConnection& connection) mutable -> Result<void> {
    TRY_VOID(prepare_session(connection, settings, access));
    if (access == Access::read_only) return {};
    return lock.take(connection);
  };
  TRY(auto connection, PostgresConnection::open(settings_.url, prepare));
  return connection;
}

}  // namespace postrider
