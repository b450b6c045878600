#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "postrider/store/sql.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace postrider {

/// One SQLite connection. Opened by `SqliteDatabase`.
class SqliteConnection final : public SqlConnection {
 public:
  /// `vfs` may be empty: the system's.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, int flags,
                                                        const std::string& vfs);
  ~SqliteConnection() override;

  using SqlConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override;
  Result<void> execute_once(const std::string& sql) override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  std::uint64_t take_pages_written() override;
  Result<void> create_sequence(const std::string& name, std::int64_t step) override;
  Result<std::vector<std::int64_t>> draw(const std::string& name, std::int64_t count) override;
  Result<std::int64_t> last_drawn(const std::string& name) override;
  Result<void> raise_sequence(const std::string& name, std::int64_t number) override;
  /// Writes every page of the write-ahead log once more and syncs it. A log that is read after a
  /// sync failed may be whole in the system's memory and not on the disk, and no later sync would
  /// mend that. Until then nothing of the log goes into the database file, not on closing either.
  /// While no other connection writes.
  /// Source: https://wiki.postgresql.org/wiki/Fsync_Errors
  Result<void> rewrite_log();

 private:
  struct CloseConnection {
    void operator()(sqlite3* database) const;
  };
  struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const;
  };
  using PreparedStatement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

  /// The log beside the database, as the system knows it.
  struct LogFile {
    std::uint64_t device = 0;
    std::uint64_t number = 0;
    bool operator==(const LogFile&) const = default;
  };

  SqliteConnection(std::unique_ptr<sqlite3, CloseConnection> database, std::string path,
                   bool has_system_files);
  Result<void> check_files();
  [[nodiscard]] std::optional<LogFile> find_log() const;
  Result<sqlite3_stmt*> prepared(const Statement& statement);
  Result<std::int64_t> run(sqlite3_stmt* prepared, const RowCallback& row);
  [[nodiscard]] std::unexpected<Error> error(int result) const;

  std::string path_;
  bool has_system_files_;       ///< not those of another VFS
  std::optional<LogFile> log_;  ///< empty until it is there
  std::unique_ptr<sqlite3, CloseConnection> database_;
  std::unordered_map<const char*, PreparedStatement> statements_;  ///< by the text's address
};

}  // namespace postrider
