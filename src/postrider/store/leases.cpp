#include "postrider/store/leases.hpp"

namespace postrider {
namespace {

constexpr Statement read_sql{"SELECT session_key FROM leases WHERE name = $1"};
constexpr Statement take_sql{
    "INSERT INTO leases (name, session_key) VALUES ($1, $3)"
    " ON CONFLICT (name) DO UPDATE SET session_key = excluded.session_key"
    " WHERE leases.session_key = $2"};

}  // namespace

Result<SessionKey> read_lease(SqlConnection& connection, std::string_view name) {
  SessionKey holder;
  TRY_VOID(connection.execute(
      read_sql, {name}, [&holder](const SqlRow& row) { holder = SessionKey{row.integer(0)}; }));
  return holder;
}

Result<bool> take_lease(SqlConnection& connection, std::string_view name, SessionKey from,
                        SessionKey to) {
  TRY(const std::int64_t taken, connection.execute(take_sql, {name, from.value, to.value}));
  return taken > 0;
}

}  // namespace postrider
