#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "postrider/drivers/sqlite/process_lock.hpp"
#include "postrider/store/database.hpp"

namespace postrider {

struct SqliteSettings {
  std::string path;
  std::uint64_t size_max_bytes = 0;            ///< cap of the file; 0: none
  std::string vfs;                             ///< empty: the system's; another one is not locked
  std::uint64_t checkpoint_bytes = 16U << 20;  ///< of the write-ahead log that is written back

  bool operator==(const SqliteSettings&) const = default;
};

/// A database file that belongs to this process: locked, checked, migrated.
class SqliteDatabase final : public Database {
 public:
  /// Errors: `storage_locked` (another process has it), `storage_incompatible` (not a database,
  /// another program's, or a newer version's; the file is not changed), `storage_failed`.
  static Result<std::unique_ptr<SqliteDatabase>> open(SqliteSettings settings);

  [[nodiscard]] Result<std::unique_ptr<SqlConnection>> connect(Access access) const override;
  [[nodiscard]] bool is_in_place() const override;

 private:
  SqliteDatabase(SqliteSettings settings, ProcessLock lock, ProcessLock file_lock);
  Result<void> check_owner(SqlConnection& connection) const;
  Result<void> set_sizes(SqlConnection& connection) const;

  SqliteSettings settings_;
  ProcessLock lock_;
  ProcessLock file_lock_;  ///< for when somebody deletes the lock file
};

}  // namespace postrider
