#pragma once

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
/// `was_committed` tells.
/// Source: https://www.postgresql.org/docs/15/libpq.html
class PostgresConnection final : public SqlConnection {
 public:
  /// `url` as libpq takes it. `after_connect` runs on each new connection before anything else:
  /// what it refuses keeps the connection unusable.
  using AfterConnect = std::function<Result<void>(PostgresConnection&)>;
  static Result<std::unique_ptr<PostgresConnection>> open(std::string url,
                                                          AfterConnect after_connect);
  /// Makes this connection the owner of the table `commit_marker`. From then on each of its
  /// transactions counts up there, which tells afterwards what was committed, and fails with
  /// `storage_locked` once another one has claimed it.
  Result<void> claim();
  ~PostgresConnection() override;

  using SqlConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override;
  Result<void> execute_once(const std::string& sql) override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  Result<bool> was_committed() override;

 private:
  struct CloseConnection {
    void operator()(pg_conn* connection) const;
  };
  struct ClearResult {
    void operator()(pg_result* result) const;
  };
  using ResultSet = std::unique_ptr<pg_result, ClearResult>;

  PostgresConnection(std::string url, AfterConnect after_connect);
  Result<void> connect();
  Result<void> ensure_connected();
  [[nodiscard]] bool is_lost() const;
  Result<ResultSet> run(const Statement& statement, std::span<const SqlValue> values);
  Result<std::string> prepared(const Statement& statement, const std::vector<unsigned>& types);
  Result<ResultSet> checked(pg_result* result);
  Result<void> run_text(const char* sql);
  [[nodiscard]] std::unexpected<Error> error(const pg_result* result) const;
  [[nodiscard]] std::unexpected<Error> taken_over() const;

  std::string url_;
  std::string place_;  ///< the server and the database, for messages; never a password
  AfterConnect after_connect_;
  std::string owner_;  ///< empty: nothing was claimed
  std::unique_ptr<pg_conn, CloseConnection> connection_;
  /// Names of prepared statements by text and types of values.
  std::unordered_map<std::string, std::string> prepared_;
  bool in_transaction_ = false;
  std::int64_t commit_number_ = 0;  ///< of the last transaction that began
  bool commit_sent_ = false;        ///< and nobody knows whether it has happened
};

}  // namespace postrider
