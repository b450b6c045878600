#include "postrider/store/idempotency.hpp"

namespace postrider {
namespace {

constexpr Statement find_sql{
    "SELECT body_digest, first_id, last_id, fact_count, created_at FROM idempotency_keys"
    " WHERE stream_key = $1 AND key = $2"};
constexpr Statement insert_sql{
    "INSERT INTO idempotency_keys (stream_key, key, body_digest, first_id, last_id, fact_count,"
    " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT (stream_key, key) DO UPDATE SET body_digest = excluded.body_digest,"
    " first_id = excluded.first_id, last_id = excluded.last_id,"
    " fact_count = excluded.fact_count, created_at = excluded.created_at"
    " WHERE idempotency_keys.created_at < $8"};
// Index idempotency_keys_by_age finds the oldest; the primary key deletes them.
constexpr Statement expire_sql{
    "DELETE FROM idempotency_keys WHERE (stream_key, key) IN"
    " (SELECT stream_key, key FROM idempotency_keys WHERE created_at < $1"
    " ORDER BY created_at LIMIT $2)"};

}  // namespace

Result<std::optional<KeyedAppend>> find_keyed_append(SqlConnection& connection, StreamKey stream,
                                                     std::string_view key) {
  std::optional<KeyedAppend> found;
  TRY_VOID(connection.execute(find_sql, {stream.value, key}, [&](const SqlRow& row) {
    found = KeyedAppend{.key = std::string(key),
                        .body_digest = std::string(row.blob(0)),
                        .first = StreamId{row.integer(1)},
                        .last = StreamId{row.integer(2)},
                        .fact_count = row.integer(3),
                        .created_at = wall_time(row.integer(4))};
  }));
  return found;
}

Result<bool> insert_keyed_append(SqlConnection& connection, StreamKey stream,
                                 const KeyedAppend& append, WallTime expired_before) {
  TRY(const std::int64_t inserted,
      connection.execute(
          insert_sql, {stream.value, append.key, Blob{append.body_digest}, append.first.value,
                       append.last.value, append.fact_count, unix_milliseconds(append.created_at),
                       unix_milliseconds(expired_before)}));
  return inserted > 0;
}

Result<std::int64_t> expire_keyed_appends(SqlConnection& connection, WallTime created_before,
                                          std::int64_t count_max) {
  return connection.execute(expire_sql, {unix_milliseconds(created_before), count_max});
}

}  // namespace postrider
