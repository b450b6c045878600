#include "postrider/store/streams.hpp"

namespace postrider {
namespace {

constexpr Statement read_sql{
    "SELECT stream_key, name, format, sorted_through, facts_unwanted, dropped_through FROM streams "
    "ORDER BY name"};
constexpr Statement find_sql{
    "SELECT stream_key, name, format, sorted_through, facts_unwanted, dropped_through FROM streams"
    " WHERE name = $1"};
constexpr Statement insert_sql{
    "INSERT INTO streams (name, format, created_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (name) DO NOTHING"};
constexpr Statement read_sorted_sql{"SELECT sorted_through FROM streams WHERE stream_key = $1"};
constexpr Statement read_dropped_sql{"SELECT dropped_through FROM streams WHERE stream_key = $1"};
constexpr Statement sorted_sql{
    "UPDATE streams SET sorted_through = $2, facts_unwanted = $3 WHERE stream_key = $1"};
constexpr Statement dropped_sql{"UPDATE streams SET dropped_through = $2 WHERE stream_key = $1"};

StreamRow stream_row(const SqlRow& row) {
  return {.key = StreamKey{row.integer(0)},
          .name = std::string(row.text(1)),
          .format = std::string(row.text(2)),
          .sorted_through = StreamId{row.integer(3)},
          .facts_unwanted = row.integer(4),
          .dropped_through = StreamId{row.integer(5)}};
}

Result<StreamId> read_position(SqlConnection& connection, const Statement& statement,
                               StreamKey stream) {
  StreamId position;
  TRY_VOID(connection.execute(statement, {stream.value}, [&position](const SqlRow& row) {
    position = StreamId{row.integer(0)};
  }));
  return position;
}

}  // namespace

Result<std::vector<StreamRow>> read_streams(SqlConnection& connection) {
  std::vector<StreamRow> streams;
  TRY_VOID(connection.execute(
      read_sql, {}, [&streams](const SqlRow& row) { streams.push_back(stream_row(row)); }));
  return streams;
}

Result<StreamRow> put_stream(SqlConnection& connection, std::string_view name,
                             std::string_view format, WallTime now) {
  TRY_VOID(connection.execute(insert_sql, {name, format, unix_milliseconds(now)}));
  StreamRow stream;
  TRY_VOID(connection.execute(find_sql, {name},
                              [&stream](const SqlRow& row) { stream = stream_row(row); }));
  return stream;
}

Result<void> set_sorted_through(SqlConnection& connection, StreamKey stream, StreamId through,
                                std::int64_t facts_unwanted) {
  return connection.enqueue(sorted_sql, {stream.value, through.value, facts_unwanted});
}

Result<StreamId> read_sorted_through(SqlConnection& connection, StreamKey stream) {
  return read_position(connection, read_sorted_sql, stream);
}

Result<StreamId> read_dropped_through(SqlConnection& connection, StreamKey stream) {
  return read_position(connection, read_dropped_sql, stream);
}

Result<void> set_dropped_through(SqlConnection& connection, StreamKey stream, StreamId through) {
  return connection.enqueue(dropped_sql, {stream.value, through.value});
}

}  // namespace postrider
