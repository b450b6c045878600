#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/base/time.hpp"

namespace postrider {

/// One SQL text. Declared once as a constant; drivers prepare it once per connection and find it
/// again by its address. Parameters are `$1`, `$2`, …
struct Statement {
  std::string_view sql;
};

struct Blob {
  std::string_view bytes;
};
/// Views must live until `execute` returns.
using SqlValue = std::variant<std::nullptr_t, std::int64_t, std::string_view, Blob>;

/// One result row, valid inside the callback only. Columns count from 0.
class SqlRow {
 public:
  SqlRow() = default;
  SqlRow(const SqlRow&) = delete;
  SqlRow& operator=(const SqlRow&) = delete;
  virtual ~SqlRow() = default;

  [[nodiscard]] virtual bool is_null(int column) const = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual std::string_view text(int column) const = 0;
  [[nodiscard]] virtual std::string_view blob(int column) const = 0;
};

using RowCallback = std::function<void(const SqlRow&)>;

/// One database connection. Used by one thread at a time. Errors: `storage_full`,
/// `storage_unavailable` (for now; the same may be tried again), `storage_refused` (a value, a
/// constraint or a limit: the same fails each time), `storage_failed`. After an error inside a
/// transaction only `rollback` may follow.
class SqlConnection {
 public:
  SqlConnection() = default;
  SqlConnection(const SqlConnection&) = delete;
  SqlConnection& operator=(const SqlConnection&) = delete;
  virtual ~SqlConnection() = default;

  /// Runs the statement to its end, calling `row` for each row, and gives the number of rows that
  /// it changed.
  virtual Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                                       const RowCallback& row) = 0;
  /// Runs a text that is not worth keeping prepared: table definitions.
  virtual Result<void> execute_once(const std::string& sql) = 0;
  /// Starts a transaction that will write.
  virtual Result<void> begin() = 0;
  /// Returns after the transaction is on disk.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
  /// After `commit` failed: whether the transaction may have happened nevertheless.
  [[nodiscard]] virtual bool is_in_doubt() const { return false; }

  /// From now on the database ends a transaction in which nothing happens for that long, where it
  /// can be shared with other processes.
  virtual Result<void> end_idle_transactions_after(Duration) { return {}; }

  /// Pages that transactions of this connection have written since the last call; 0 where the
  /// database does not say.
  virtual std::uint64_t take_pages_written() { return 0; }

  /// Inside a transaction: runs the statement, at the latest when the next one is executed or the
  /// transaction is committed. What goes wrong may be said only then. For statements whose result
  /// nobody looks at: many of them cost one round trip.
  virtual Result<void> enqueue(const Statement& statement, std::span<const SqlValue> values) {
    const auto ignore = [](const SqlRow&) {};
    if (auto done = execute(statement, values, ignore); !done) return std::unexpected(done.error());
    return {};
  }

  /// The same for a statement that must change a row: when it changes none the transaction fails
  /// with `otherwise`.
  virtual Result<void> require(const Statement& statement, std::span<const SqlValue> values,
                               const Error& otherwise) {
    const auto ignore = [](const SqlRow&) {};
    const auto changed = execute(statement, values, ignore);
    if (!changed) return std::unexpected(changed.error());
    if (*changed == 0) return std::unexpected(otherwise);
    return {};
  }

  /// A sequence gives out the multiples of `step`, each once, to all connections. Drawn from
  /// outside of transactions.
  virtual Result<void> create_sequence(const std::string& name, std::int64_t step) = 0;
  virtual Result<std::vector<std::int64_t>> draw(const std::string& name, std::int64_t count) = 0;
  /// 0 before the first.
  virtual Result<std::int64_t> last_drawn(const std::string& name) = 0;
  /// Lets it go on above `number`, which is one of its multiples.
  virtual Result<void> raise_sequence(const std::string& name, std::int64_t number) = 0;

  Result<std::int64_t> execute(
      const Statement& statement, std::initializer_list<SqlValue> values = {},
      const RowCallback& row = [](const SqlRow&) {}) {
    return execute(statement, std::span(values.begin(), values.size()), row);
  }
  Result<void> enqueue(const Statement& statement, std::initializer_list<SqlValue> values) {
    return enqueue(statement, std::span(values.begin(), values.size()));
  }
  Result<void> require(const Statement& statement, std::initializer_list<SqlValue> values,
                       const Error& otherwise) {
    return require(statement, std::span(values.begin(), values.size()), otherwise);
  }
};

/// Runs `body` in one transaction: committed when it succeeds, rolled back when it fails.
template <class Body>
Result<void> transact(SqlConnection& connection, Body&& body) {
  TRY_VOID(connection.begin());
  Result<void> done = body();
  if (done) done = connection.commit();
  if (!done) connection.rollback();
  return done;
}

}  // namespace postrider
