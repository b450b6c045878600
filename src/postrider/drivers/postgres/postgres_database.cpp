#include "postrider/drivers/postgres/postgres_database.hpp"

#include "postrider/drivers/postgres/postgres_connection.hpp"
#include "postrider/store/migrations.hpp"

namespace postrider {
namespace {

constexpr std::int64_t version_min = 150'000;

constexpr Statement version_sql{"SELECT current_setting('server_version_num')::bigint"};
// The lock belongs to the session, so a connection that is lost gives it back, and whoever commits
// under it is the only one. A session that has just ended may hold it for a moment more.
constexpr Statement lock_sql{"SELECT pg_advisory_lock(hashtextextended($1, 0))"};

Result<void> check_version(PostgresConnection& connection) {
  std::int64_t version = 0;
  TRY_VOID(connection.SqlConnection::execute(
      version_sql, {}, [&version](const SqlRow& row) { version = row.integer(0); }));
  if (version >= version_min) return {};
  return fail(Code::storage_incompatible, "the server is PostgreSQL {}; use PostgreSQL 15 or newer",
              version / 10'000);
}

Result<void> take_lock(PostgresConnection& connection, const std::string& schema) {
  TRY_VOID(connection.execute_once("SET lock_timeout = '2s'"));
  const auto taken = connection.SqlConnection::execute(lock_sql, {std::string_view(schema)});
  if (taken) return connection.execute_once("SET lock_timeout = 0");
  if (taken.error().code != Code::storage_unavailable) return std::unexpected(taken.error());
  return fail(Code::storage_locked,
              "another postrider works on schema {} of this database; stop it first", schema);
}

Result<void> prepare_session(PostgresConnection& connection, const PostgresSettings& settings,
                             Database::Access access) {
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings.statement_timeout);
  const bool writes = access == Database::Access::read_write;
  TRY_VOID(connection.execute_once(
      fmt::format("SET application_name = 'postrider'; SET statement_timeout = {};"
                  " SET search_path = \"{}\"; SET default_transaction_read_only = {};"
                  " SET synchronous_commit = on; SET client_min_messages = warning",
                  timeout.count(), settings.schema, writes ? "off" : "on")));
  if (writes) TRY_VOID(take_lock(connection, settings.schema));
  return {};
}

}  // namespace

Result<std::unique_ptr<PostgresDatabase>> PostgresDatabase::open(PostgresSettings settings) {
  std::unique_ptr<PostgresDatabase> database(new PostgresDatabase(std::move(settings)));
  const auto check = [](PostgresConnection& connection) { return check_version(connection); };
  TRY(const auto first, PostgresConnection::open(database->settings_.url, check));
  TRY_VOID(first->execute_once(
      fmt::format("CREATE SCHEMA IF NOT EXISTS \"{}\"", database->settings_.schema)));
  TRY_VOID(first->execute_once(
      fmt::format("CREATE TABLE IF NOT EXISTS \"{}\".commit_marker (one BIGINT PRIMARY KEY,"
                  " owner TEXT NOT NULL, number BIGINT NOT NULL)",
                  database->settings_.schema)));
  TRY(const auto writer, database->connect(Access::read_write));
  TRY_VOID(migrate(*writer, postgres_dialect));
  return database;
}

Result<std::unique_ptr<SqlConnection>> PostgresDatabase::connect(Access access) const {
  const auto prepare = [settings = settings_, access](PostgresConnection& connection) {
    return prepare_session(connection, settings, access);
  };
  TRY(auto connection, PostgresConnection::open(settings_.url, prepare));
  if (access == Access::read_write) TRY_VOID(connection->claim());
  return connection;
}

}  // namespace postrider
