#include "postrider/drivers/sqlite/sqlite_database.hpp"

#include <sqlite3.h>

#include "postrider/drivers/sqlite/sqlite_connection.hpp"
#include "postrider/drivers/sqlite/wal_damage.hpp"
#include "postrider/store/migrations.hpp"

namespace postrider {
namespace {

constexpr std::int64_t application_id = 0x504F5354;  // "POST"
// A commit writes a few rows into as many pages. Smaller ones are written in vain less, larger ones
// make facts in bulk cheaper. A file that exists keeps its own.
constexpr std::uint64_t page_bytes = 1024;
constexpr Statement page_size_sql{"SELECT page_size FROM pragma_page_size"};

constexpr Statement application_id_sql{
    "SELECT application_id, (SELECT COUNT(*) FROM sqlite_master)"
    " FROM pragma_application_id"};

/// What SQLite would drop without a word has been answered.
Result<void> check_log(const std::string& path) {
  const std::string log = path + "-wal";
  const auto damage = find_wal_damage(log);
  if (!damage) return {};
  return fail(
      Code::storage_failed,
      "{} is damaged at byte {}, and {} or more commits behind it would be lost; restore the"
      " database from a backup, or lose them with `sqlite3 {} 'PRAGMA"
      " wal_checkpoint(TRUNCATE)'`: facts that follow then get IDs that were given before",
      log, damage->offset, damage->commits, path);
}

}  // namespace

SqliteDatabase::SqliteDatabase(SqliteSettings settings, ProcessLock lock, ProcessLock file_lock)
    : settings_(std::move(settings)), lock_(std::move(lock)), file_lock_(std::move(file_lock)) {}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(SqliteSettings settings) {
  ProcessLock lock;
  ProcessLock file_lock;
  if (settings.vfs.empty()) {
    TRY(lock, ProcessLock::take(settings.path + ".lock", settings.path));
    // Makes it, when it is new, for its owner alone: registrations are in it with their tokens.
    // SQLite gives its other files the same mode.
    TRY(file_lock, ProcessLock::take_file_itself(settings.path));
    TRY_VOID(check_log(settings.path));
  }
  std::unique_ptr<SqliteDatabase> database(
      new SqliteDatabase(std::move(settings), std::move(lock), std::move(file_lock)));
  TRY(const auto connection, database->connect(Access::read_write));
  auto migrated = migrate(*connection, sqlite_dialect);
  if (!migrated) {
    return std::unexpected(
        std::move(migrated).error().with("database " + database->settings_.path));
  }
  return database;
}

bool SqliteDatabase::is_in_place() const {
  return !settings_.vfs.empty() || file_lock_.is_at(settings_.path);
}

Result<void> SqliteDatabase::check_owner(SqlConnection& connection) const {
  std::int64_t owner = 0;
  std::int64_t tables = 0;
  TRY_VOID(connection.execute(application_id_sql, {}, [&](const SqlRow& row) {
    owner = row.integer(0);
    tables = row.integer(1);
  }));
  if (owner == application_id || (owner == 0 && tables == 0)) return {};
  return fail(Code::storage_incompatible,
              "{} is an SQLite database of another program; name another file in database",
              settings_.path);
}

/// In pages as the file has them.
Result<void> SqliteDatabase::set_sizes(SqlConnection& connection) const {
  std::uint64_t page = page_bytes;
  TRY_VOID(connection.execute(page_size_sql, {}, [&page](const SqlRow& row) {
    page = static_cast<std::uint64_t>(row.integer(0));
  }));
  const std::uint64_t checkpoint = std::max<std::uint64_t>(1, settings_.checkpoint_bytes / page);
  TRY_VOID(connection.execute_once(fmt::format("PRAGMA wal_autocheckpoint = {}", checkpoint)));
  if (settings_.size_max_bytes == 0) return {};
  return connection.execute_once(
      fmt::format("PRAGMA max_page_count = {}", settings_.size_max_bytes / page));
}

Result<std::unique_ptr<SqlConnection>> SqliteDatabase::connect(Access access) const {
  const int mode = access == Access::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                                : SQLITE_OPEN_READONLY;
  TRY(std::unique_ptr<SqliteConnection> connection,
      SqliteConnection::open(settings_.path, mode | SQLITE_OPEN_NOMUTEX, settings_.vfs));
  // In effect when the file is made, which reading does already.
  TRY_VOID(connection->execute_once(
      fmt::format("PRAGMA busy_timeout = 10000; PRAGMA page_size = {}", page_bytes)));
  // Before anything that could write: a file that is not ours stays as it is.
  TRY_VOID(check_owner(*connection));
  if (access == Access::read_write) {
    // Before anything that builds on what the log holds.
    TRY_VOID(connection->rewrite_log());
    // EXTRA until the log is in use: else the rollback journal of the switch could come back after
    // a loss of power, and take with it what was committed since.
    TRY_VOID(connection->execute_once(
        fmt::format("PRAGMA synchronous = EXTRA; PRAGMA journal_mode = WAL;"
                    " PRAGMA synchronous = FULL; PRAGMA application_id = {};"
                    " PRAGMA journal_size_limit = 67108864;",
                    application_id)));
    TRY_VOID(set_sizes(*connection));
  }
  TRY_VOID(connection->execute_once("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384"));
  return connection;
}

}  // namespace postrider
