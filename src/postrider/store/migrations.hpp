#pragma once

#include <string>
#include <string_view>

#include "postrider/store/sql.hpp"

namespace postrider {

/// The words that the two databases spell differently in a table definition.
struct Dialect {
  std::string_view blob;           ///< stands for {blob}
  std::string_view row_key;        ///< {row_key}: a primary key that is never given out again
  std::string_view without_rowid;  ///< {without_rowid}: behind a table that is its own index
};

/// The schema version that this binary reads and writes.
std::int64_t schema_version();

/// Brings the database to `schema_version`, each step in a transaction of its own. Refuses a newer
/// database with `storage_incompatible`.
Result<void> migrate(SqlConnection& connection, const Dialect& dialect);

}  // namespace postrider
