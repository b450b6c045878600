#include "postrider/store/decisions.hpp"

#include <map>
#include <utility>

namespace postrider {
namespace {

constexpr Statement insert_sql{
    "INSERT INTO decisions (stream_key, through_id, after_id, entry_count, appended_at, data)"
    " VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Statement read_sql{
    "SELECT stream_key, after_id, through_id, entry_count, appended_at, data FROM decisions"
    " ORDER BY stream_key, through_id"};
constexpr Statement all_compacted_sql{"SELECT stream_key, compacted_through FROM streams"};
constexpr Statement drop_sql{"DELETE FROM decisions WHERE stream_key = $1 AND through_id <= $2"};
constexpr Statement set_compacted_sql{
    "UPDATE streams SET compacted_through = $2 WHERE stream_key = $1"};
constexpr Statement compacted_sql{"SELECT compacted_through FROM streams WHERE stream_key = $1"};

}  // namespace

Result<void> insert_decisions(SqlConnection& connection, StreamKey stream, const DecisionRow& row) {
  return connection.enqueue(insert_sql,
                            {stream.value, row.through.value, row.after.value, row.entries,
                             unix_milliseconds(row.appended_at), Blob{row.data}});
}

Result<std::vector<StoredDecisions>> read_decisions(SqlConnection& connection) {
  std::map<StreamKey, StoredDecisions> by_stream;
  TRY_VOID(connection.execute(all_compacted_sql, {}, [&by_stream](const SqlRow& row) {
    const StreamKey stream{row.integer(0)};
    by_stream[stream] = {stream, StreamId{row.integer(1)}, {}};
  }));
  TRY_VOID(connection.execute(read_sql, {}, [&by_stream](const SqlRow& row) {
    by_stream[StreamKey{row.integer(0)}].rows.push_back({.after = StreamId{row.integer(1)},
                                                         .through = StreamId{row.integer(2)},
                                                         .entries = row.integer(3),
                                                         .appended_at = wall_time(row.integer(4)),
                                                         .data = std::string(row.blob(5))});
  }));
  std::vector<StoredDecisions> all;
  for (auto& [stream, decisions] : by_stream) all.push_back(std::move(decisions));
  return all;
}

Result<void> fold_decisions(SqlConnection& connection, StreamKey stream, StreamId through) {
  TRY_VOID(connection.enqueue(drop_sql, {stream.value, through.value}));
  return connection.enqueue(set_compacted_sql, {stream.value, through.value});
}

Result<StreamId> read_compacted_through(SqlConnection& connection, StreamKey stream) {
  StreamId through;
  TRY_VOID(connection.execute(compacted_sql, {stream.value}, [&through](const SqlRow& row) {
    through = StreamId{row.integer(0)};
  }));
  return through;
}

}  // namespace postrider
