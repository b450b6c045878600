#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "postrider/store/sql.hpp"

namespace postrider {

struct CopyProgress {
  std::string table;
  std::int64_t copied_rows = 0;  ///< of all tables
  std::int64_t total_rows = 0;
};
/// Called after each batch; false interrupts the copy, which fails with `stopping`.
using CopyWatch = std::function<bool(const CopyProgress&)>;

/// Copies streams, facts, services and their inboxes from one database with the current schema to
/// another one, which is empty or holds the beginning of the same copy. Batches are committed one
/// by one, so that what was interrupted goes on where it ended. At the end the rows of each table
/// are counted and their checksums compared. Gives the number of rows. Errors: `conflict` (the
/// target holds something else), `storage_failed` (what was written is not what was read).
Result<std::int64_t> copy_database(SqlConnection& from, SqlConnection& to, const CopyWatch& watch);

/// The comparison at the end of a copy alone. Errors: `storage_failed` (they do not hold the same).
Result<std::int64_t> compare_databases(SqlConnection& from, SqlConnection& to,
                                       const CopyWatch& watch);

}  // namespace postrider
