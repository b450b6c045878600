#pragma once

#include <memory>
#include <string>

#include "postrider/store/sql.hpp"

namespace postrider {

/// A database that belongs to this process: checked, migrated. Outlives its connections.
class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  /// `writer`: for the one connection that writes.
  enum class Access { read_write, read_only };
  [[nodiscard]] virtual Result<std::unique_ptr<SqlConnection>> connect(Access access) const = 0;

  /// False when what is committed now would not be found at the next start. Any thread.
  [[nodiscard]] virtual bool is_in_place() const { return true; }
};

}  // namespace postrider
