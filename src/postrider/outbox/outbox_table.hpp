#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/store/sql.hpp"
#include "postrider/stream/fact_parser.hpp"

namespace postrider {

/// A row that an application has left with `postrider.append` in its own PostgreSQL database.
struct OutboxRow {
  std::int64_t id = 0;
  std::string stream;
  std::optional<std::string> payload;  ///< empty when it is longer than was asked for
  std::int64_t payload_bytes = 0;
};

/// What is read at once.
struct OutboxLimits {
  std::size_t rows_max = 1000;
  std::size_t bytes_max = 8U << 20;  ///< of payloads; one row may be larger
  std::size_t fact_bytes_max = FactLimits{}.fact_bytes_max;

  bool operator==(const OutboxLimits&) const = default;
};

/// A row that cannot be a fact.
struct RefusedOutboxRow {
  std::int64_t id = 0;
  std::string stream;
  std::string reason;
};

struct OutboxStatus {
  std::int64_t waiting = 0;
  std::int64_t oldest_ms = 0;  ///< how long the oldest waits; 0 when none does
  std::int64_t refused = 0;
  std::vector<RefusedOutboxRow> refused_rows;  ///< the first few
};

// The tables and functions of an outbox, in the schema `postrider` of the application's own
// database, PostgreSQL 13 or newer. `append` takes a lock for each stream and key until the end of
// the transaction before the row gets its ID, so that of two rows of one key the one whose
// transaction was committed first has the smaller ID. Rows of other keys become visible in any
// order, so that they are deleted as they are taken: no position tells them from those to come.
// Source: https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS

/// Statements that make an outbox, or make an older one like this; as often as one likes.
const std::string& outbox_definition();

/// A text of its own for each outbox that was ever made. `storage_incompatible` when there is none.
Result<std::string> read_outbox_identity(SqlConnection& connection);
/// The first rows by ID of all that were committed, inside a transaction: they are on disk when
/// that is committed, although theirs may not have waited for it.
Result<std::vector<OutboxRow>> read_outbox_rows(SqlConnection& connection,
                                                const OutboxLimits& limits);
/// A list of rows as the database writes it.
std::string row_id_list(std::span<const std::int64_t> ids);
Result<void> delete_outbox_rows(SqlConnection& connection, std::string_view row_ids);
/// Puts rows aside, so that they are not in the way of others.
Result<void> refuse_outbox_rows(SqlConnection& connection, std::string_view row_ids,
                                std::string_view reason);
/// Puts back what was put aside; gives how many.
Result<std::int64_t> retry_refused_rows(SqlConnection& connection);
Result<OutboxStatus> read_outbox_status(SqlConnection& connection);

}  // namespace postrider
