#pragma once

#include <memory>
#include <string>

#include "postrider/base/time.hpp"
#include "postrider/store/database.hpp"

namespace postrider {

struct PostgresSettings {
  std::string url;                   ///< postgresql://user@host/name, or any form libpq takes
  std::string schema = "postrider";  ///< where all tables are; created when it is not there
  std::string instance_name = "postrider";  ///< no two processes have the same at one time
  bool takes_unfinished_copy = false;       ///< what `postrider db copy` has begun to write
  Duration statement_timeout = std::chrono::seconds{30};
  /// The server ends the transaction of a process that was stopped in the middle of it.
  Duration transaction_idle_max = std::chrono::seconds{2};

  /// Whoever has its name and has said nothing for so long is taken for dead.
  Duration silence_max = std::chrono::seconds{5};

  bool operator==(const PostgresSettings&) const = default;
};

/// A schema of a PostgreSQL database, for any number of processes: while the writing connection of
/// one lives, no other process gets one under the same name (see instance_lock.hpp).
class PostgresDatabase final : public Database {
 public:
  /// Errors: `storage_unavailable` (no server, or it refuses), `storage_incompatible` (older than
  /// PostgreSQL 15, or a newer postrider's), `storage_locked` (another process migrates it).
  static Result<std::unique_ptr<PostgresDatabase>> open(PostgresSettings settings);

  [[nodiscard]] Result<std::unique_ptr<SqlConnection>> connect(Access access) const override;

 private:
  explicit PostgresDatabase(PostgresSettings settings) : settings_(std::move(settings)) {}

  PostgresSettings settings_;
};

}  // namespace postrider
