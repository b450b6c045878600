#include "postrider/store/quarantine.hpp"

namespace postrider {
namespace {

constexpr Statement insert_sql{
    "INSERT INTO quarantine (stream_key, first_id, last_id, cause, found_at)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (stream_key, first_id) DO UPDATE SET"
    " last_id = excluded.last_id, cause = excluded.cause"
    " WHERE quarantine.last_id < excluded.last_id"};
constexpr Statement read_sql{
    "SELECT stream_key, first_id, last_id, cause, found_at FROM quarantine"
    " ORDER BY stream_key, first_id LIMIT $1"};
constexpr Statement find_sql{
    "SELECT stream_key, first_id, last_id, cause, found_at FROM quarantine"
    " WHERE stream_key = $1 AND first_id = $2"};
constexpr Statement delete_sql{"DELETE FROM quarantine WHERE stream_key = $1 AND first_id = $2"};
constexpr Statement expire_sql{"DELETE FROM quarantine WHERE stream_key = $1 AND last_id <= $2"};

QuarantineRow row_of(const SqlRow& row) {
  return {.stream = StreamKey{row.integer(0)},
          .ids = {StreamId{row.integer(1)}, StreamId{row.integer(2)}},
          .cause = std::string(row.text(3)),
          .found_at = wall_time(row.integer(4))};
}

}  // namespace

Result<bool> insert_quarantined(SqlConnection& connection, const QuarantineRow& row) {
  TRY(const std::int64_t inserted,
      connection.execute(insert_sql, {row.stream.value, row.ids.first.value, row.ids.last.value,
                                      row.cause, unix_milliseconds(row.found_at)}));
  return inserted > 0;
}

Result<std::vector<QuarantineRow>> read_quarantined(SqlConnection& connection,
                                                    std::int64_t count_max) {
  std::vector<QuarantineRow> rows;
  TRY_VOID(connection.execute(read_sql, {count_max},
                              [&rows](const SqlRow& row) { rows.push_back(row_of(row)); }));
  return rows;
}

Result<std::optional<QuarantineRow>> find_quarantined(SqlConnection& connection, StreamKey stream,
                                                      StreamId first) {
  std::optional<QuarantineRow> found;
  TRY_VOID(connection.execute(find_sql, {stream.value, first.value},
                              [&found](const SqlRow& row) { found = row_of(row); }));
  return found;
}

Result<bool> delete_quarantined(SqlConnection& connection, StreamKey stream, StreamId first) {
  TRY(const std::int64_t deleted, connection.execute(delete_sql, {stream.value, first.value}));
  return deleted > 0;
}

Result<void> expire_quarantined(SqlConnection& connection, StreamKey stream, StreamId dropped) {
  return connection.enqueue(expire_sql, {stream.value, dropped.value});
}

}  // namespace postrider
