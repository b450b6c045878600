#include "postrider/drivers/postgres/outbox_connection.hpp"

#include "postrider/drivers/postgres/postgres_connection.hpp"

namespace postrider {

Result<std::unique_ptr<SqlConnection>> open_outbox_connection(std::string url) {
  const auto prepare = [](PostgresConnection& connection) {
    return connection.execute_once(
        "SET application_name = 'postrider outbox'; SET statement_timeout = '10s';"
        " SET idle_in_transaction_session_timeout = '10s'; SET search_path = pg_catalog;"
        " SET default_transaction_isolation = 'read committed';"
        " SET default_transaction_read_only = off; SET synchronous_commit = on;"
        " SET client_min_messages = warning");
  };
  TRY(auto connection, PostgresConnection::open(std::move(url), prepare));
  return connection;
}

}  // namespace postrider
