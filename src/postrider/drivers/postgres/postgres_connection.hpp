#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "postrider/store/sql.hpp"

struct pg_conn;
struct pg_result;

namespace postrider {

/// One connection to a PostgreSQL server, which connects again by itself. Outside a transaction a
/// statement is sent once more when the connection turns out to be lost; inside, the transaction
/// fails with `storage_unavailable` and has not happened, but for a commit whose answer was lost:
/// then it is in doubt. Statements of a transaction go out in a pipeline, together with the next
/// one whose result somebody waits for.
/// Source: https://www.postgresql.org/docs/15/libpq.html
class PostgresConnection final : public SqlConnection {
 public:
  /// `url` as libpq takes it. `after_connect` runs on each new connection before anything else:
  /// what it refuses keeps the connection unusable. Errors: `storage_unavailable` while the server
  /// is away, `storage_incompatible` when it is there and refuses the user or the database.
  using AfterConnect = std::function<Result<void>(PostgresConnection&)>;
  static Result<std::unique_ptr<PostgresConnection>> open(std::string url,
                                                          AfterConnect after_connect);
  ~PostgresConnection() override;

  using SqlConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override;
  Result<void> execute_once(const std::string& sql) override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  [[nodiscard]] bool is_in_doubt() const override { return in_doubt_; }
  Result<void> enqueue(const Statement& statement, std::span<const SqlValue> values) override;
  Result<void> require(const Statement& statement, std::span<const SqlValue> values,
                       const Error& otherwise) override;
  Result<void> end_idle_transactions_after(Duration time) override;
  Result<void> create_sequence(const std::string& name, std::int64_t step) override;
  Result<std::vector<std::int64_t>> draw(const std::string& name, std::int64_t count) override;
  Result<std::int64_t> last_drawn(const std::string& name) override;
  Result<void> raise_sequence(const std::string& name, std::int64_t number) override;

 private:
  /// Names and values, as libpq takes them.
  struct ConnectParameters {
    std::array<const char*, 8> names;
    std::array<const char*, 8> values;
  };
  struct CloseConnection {
    void operator()(pg_conn* connection) const;
  };
  struct ClearResult {
    void operator()(pg_result* result) const;
  };
  using ResultSet = std::unique_ptr<pg_result, ClearResult>;

  PostgresConnection(std::string url, AfterConnect after_connect);
  Result<void> connect();
  Result<void> connect_first();
  [[nodiscard]] ConnectParameters parameters() const;
  Result<void> ensure_connected();
  [[nodiscard]] bool is_lost() const;
  Result<ResultSet> run(const Statement& statement, std::span<const SqlValue> values);
  Result<void> send(const Statement& statement, std::span<const SqlValue> values);
  Result<void> send_text(const char* sql);
  Result<ResultSet> collect();
  void leave_transaction();
  std::string& prepared_name(const Statement& statement, const std::vector<unsigned>& types);
  Result<ResultSet> checked(pg_result* result);
  Result<void> run_text(const char* sql);
  [[nodiscard]] std::unexpected<Error> error(const pg_result* result) const;

  std::string url_;
  std::string place_;  ///< the server and the database, for messages; never a password
  AfterConnect after_connect_;
  std::unique_ptr<pg_conn, CloseConnection> connection_;
  /// Names of prepared statements by text and types of values.
  std::unordered_map<std::string, std::string> prepared_;
  std::vector<std::string> prepared_in_pipeline_;  ///< keys of those that may yet be refused
  std::size_t prepared_count_ = 0;
  std::optional<Error> required_;  ///< what the transaction fails with when a row was missing
  std::string idle_limit_sql_;     ///< empty: as `after_connect` says
  bool is_connecting_ = false;
  bool in_transaction_ = false;
  bool in_doubt_ = false;
};

}  // namespace postrider
