#include "postrider/drivers/sqlite/sqlite_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sqlite3.h>
#include <sys/stat.h>

namespace postrider {
namespace {

class SqliteRow final : public SqlRow {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}

  [[nodiscard]] bool is_null(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] std::string_view text(int column) const override { return blob(column); }
  [[nodiscard]] std::string_view blob(int column) const override {
    const void* bytes = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return size == 0 ? std::string_view{} : std::string_view(static_cast<const char*>(bytes), size);
  }

 private:
  sqlite3_stmt* statement_;
};

/// The values live until the statement is reset, so nothing is copied.
struct Bind {
  sqlite3_stmt* statement;
  int index;

  int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, index); }
  int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, index, value); }
  int operator()(std::string_view text) const {
    return sqlite3_bind_text64(statement, index, text.data() == nullptr ? "" : text.data(),
                               text.size(), nullptr, SQLITE_UTF8);
  }
  int operator()(Blob blob) const {
    return sqlite3_bind_blob64(statement, index,
                               blob.bytes.data() == nullptr ? "" : blob.bytes.data(),
                               blob.bytes.size(), nullptr);
  }
};

Code code_of(int result, int system_error) {
  switch (result & 0xff) {
    case SQLITE_FULL:
      return Code::storage_full;
    case SQLITE_IOERR:
      return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG
                 ? Code::storage_full
                 : Code::storage_failed;
    case SQLITE_NOTADB:
      return Code::storage_incompatible;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return Code::storage_refused;
    default:
      return Code::storage_failed;
  }
}

/// SQLite takes `$2` for a name and numbers names by their first appearance; `?2` is the second. It
/// has one writer at a time, so that no row is ever locked by another one.
std::string in_sqlite(std::string_view sql) {
  constexpr std::string_view row_lock = " FOR UPDATE SKIP LOCKED";
  std::string text(sql);
  std::ranges::replace(text, '$', '?');
  if (const auto at = text.find(row_lock); at != std::string::npos) text.erase(at, row_lock.size());
  return text;
}

/// Whether the last connection that closes checkpoints the log.
void write_back_on_close(sqlite3* database, bool does) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, does ? 0 : 1, nullptr);
}

/// An SQLite result code.
int rewrite_in_place(sqlite3_file* file) {
  sqlite3_int64 size = 0;
  int result = file->pMethods->xFileSize(file, &size);
  std::array<char, 1 << 16> bytes;
  for (sqlite3_int64 at = 0; at < size && result == SQLITE_OK; at += std::ssize(bytes)) {
    const auto count = static_cast<int>(std::min<sqlite3_int64>(size - at, std::ssize(bytes)));
    result = file->pMethods->xRead(file, bytes.data(), count, at);
    if (result == SQLITE_OK) result = file->pMethods->xWrite(file, bytes.data(), count, at);
  }
  return result == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : result;
}

constexpr Statement begin_sql{"BEGIN IMMEDIATE"};
constexpr Statement commit_sql{"COMMIT"};
constexpr Statement rollback_sql{"ROLLBACK"};

// SQLite has no sequences. One process alone needs none; the simulator's do.
constexpr std::string_view sequences_sql =
    "CREATE TABLE IF NOT EXISTS sequences (name TEXT PRIMARY KEY, step INTEGER NOT NULL,"
    " last_number INTEGER NOT NULL) WITHOUT ROWID";
constexpr Statement create_sequence_sql{
    "INSERT INTO sequences (name, step, last_number) VALUES ($1, $2, 0)"
    " ON CONFLICT (name) DO NOTHING"};
constexpr Statement draw_sql{
    "UPDATE sequences SET last_number = last_number + $2 * step WHERE name = $1"
    " RETURNING last_number, step"};
constexpr Statement last_drawn_sql{"SELECT last_number FROM sequences WHERE name = $1"};
constexpr Statement raise_sql{"UPDATE sequences SET last_number = $2 WHERE name = $1"};

}  // namespace

void SqliteConnection::CloseConnection::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

void SqliteConnection::FinalizeStatement::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqliteConnection::SqliteConnection(std::unique_ptr<sqlite3, CloseConnection> database,
                                   std::string path, bool has_system_files)
    : path_(std::move(path)), has_system_files_(has_system_files), database_(std::move(database)) {}

SqliteConnection::~SqliteConnection() = default;

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, int flags,
                                                                 const std::string& vfs) {
  sqlite3* raw = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &raw, flags, vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<sqlite3, CloseConnection> database(raw);
  if (result != SQLITE_OK) {
    return fail(Code::storage_failed, "cannot open database {}: {}", path, sqlite3_errstr(result));
  }
  sqlite3_extended_result_codes(raw, 1);
  write_back_on_close(raw, false);
  return std::unique_ptr<SqliteConnection>(
      new SqliteConnection(std::move(database), path, vfs.empty()));
}

std::unexpected<Error> SqliteConnection::error(int result) const {
  const Code code = code_of(result, sqlite3_system_errno(database_.get()));
  if (code == Code::storage_full) {
    return fail(code,
                "no room for the database {}: free space on its disk or raise"
                " storage.size_max; nothing was stored",
                path_);
  }
  if (code == Code::storage_incompatible) {
    return fail(code, "{} is not an SQLite database; name another file in database", path_);
  }
  return fail(code, "database {}: {}", path_, sqlite3_errmsg(database_.get()));
}

Result<sqlite3_stmt*> SqliteConnection::prepared(const Statement& statement) {
  PreparedStatement& slot = statements_[statement.sql.data()];
  if (!slot) {
    sqlite3_stmt* raw = nullptr;
    const std::string sql = in_sqlite(statement.sql);
    const int result = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (result != SQLITE_OK) {
      statements_.erase(statement.sql.data());
      return error(result);
    }
    slot.reset(raw);
  }
  return slot.get();
}

Result<std::int64_t> SqliteConnection::execute(const Statement& statement,
                                               std::span<const SqlValue> values,
                                               const RowCallback& row) {
  TRY(sqlite3_stmt* const stmt, prepared(statement));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int result = std::visit(Bind{stmt, static_cast<int>(i + 1)}, values[i]);
    if (result != SQLITE_OK) return error(result);
  }
  auto outcome = run(stmt, row);
  sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  return outcome;
}

Result<std::int64_t> SqliteConnection::run(sqlite3_stmt* prepared, const RowCallback& row) {
  const SqliteRow current(prepared);
  while (true) {
    const int result = sqlite3_step(prepared);
    if (result == SQLITE_DONE) return std::int64_t{sqlite3_changes(database_.get())};
    if (result != SQLITE_ROW) return error(result);
    row(current);
  }
}

Result<void> SqliteConnection::execute_once(const std::string& sql) {
  const int result = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return error(result);
  return {};
}

Result<void> SqliteConnection::begin() {
  TRY_VOID(execute(begin_sql));
  auto in_place = check_files();
  if (!in_place) rollback();
  return in_place;
}

std::optional<SqliteConnection::LogFile> SqliteConnection::find_log() const {
  struct stat found{};
  const char* const path = sqlite3_filename_wal(sqlite3_db_filename(database_.get(), "main"));
  if (::stat(path, &found) != 0) return std::nullopt;
  return LogFile{.device = found.st_dev, .number = found.st_ino};
}

/// What is written to a file that has lost its name is gone when the process ends.
Result<void> SqliteConnection::check_files() {
  int has_moved = 0;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
  bool has_log = true;
  if (has_system_files_) {
    const auto log = find_log();
    if (!log_) log_ = log;
    has_log = log == log_;
  }
  if (has_moved == 0 && has_log) return {};
  return fail(Code::storage_incompatible,
              "the file {}{} was deleted, moved or replaced while this process uses it, and what is"
              " written to it would be lost. Nothing more is stored; what was can be read until the"
              " process ends. Put the file back where it was, or stop the process, restore the"
              " database with its -wal from a copy, and start again",
              path_, has_moved == 0 ? "-wal" : "");
}

Result<void> SqliteConnection::commit() {
  TRY_VOID(execute(commit_sql));
  return {};
}

void SqliteConnection::rollback() {
  // SQLite has rolled back by itself after some errors.
  if (sqlite3_get_autocommit(database_.get()) != 0) return;
  const auto ignored = execute(rollback_sql);
  static_cast<void>(ignored);
}

Result<void> SqliteConnection::create_sequence(const std::string& name, std::int64_t step) {
  TRY_VOID(execute_once(std::string(sequences_sql)));
  TRY_VOID(execute(create_sequence_sql, {std::string_view(name), step}));
  return {};
}

Result<std::vector<std::int64_t>> SqliteConnection::draw(const std::string& name,
                                                         std::int64_t count) {
  std::vector<std::int64_t> numbers;
  TRY_VOID(execute(draw_sql, {std::string_view(name), count}, [&](const SqlRow& row) {
    for (std::int64_t i = count - 1; i >= 0; --i) {
      numbers.push_back(row.integer(0) - i * row.integer(1));
    }
  }));
  return numbers;
}

Result<std::int64_t> SqliteConnection::last_drawn(const std::string& name) {
  std::int64_t number = 0;
  TRY_VOID(execute(last_drawn_sql, {std::string_view(name)},
                   [&number](const SqlRow& row) { number = row.integer(0); }));
  return number;
}

Result<void> SqliteConnection::raise_sequence(const std::string& name, std::int64_t number) {
  TRY_VOID(execute(raise_sql, {std::string_view(name), number}));
  return {};
}

std::uint64_t SqliteConnection::take_pages_written() {
  int pages = 0;
  int highest = 0;  // always 0
  sqlite3_db_status(database_.get(), SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 1);
  return static_cast<std::uint64_t>(std::max(pages, 0));
}

Result<void> SqliteConnection::rewrite_log() {
  TRY_VOID(begin());
  sqlite3_file* log = nullptr;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER,
                       static_cast<void*>(&log));
  const bool is_open = log != nullptr && log->pMethods != nullptr;
  const int result = is_open ? rewrite_in_place(log) : SQLITE_OK;
  rollback();
  if (result == SQLITE_OK) {
    write_back_on_close(database_.get(), true);
    return {};
  }
  return fail(Code::storage_failed, "cannot write the log of database {} anew: {}", path_,
              sqlite3_errstr(result));
}

}  // namespace postrider
