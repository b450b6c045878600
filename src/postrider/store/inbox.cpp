#include "postrider/store/inbox.hpp"

namespace postrider {
namespace {

constexpr Statement insert_sql{
    "INSERT INTO inbox_blocks (service_key, last_seq, first_seq, stream_key, first_id, appended_at,"
    " positions) SELECT $1, $2, $3, $4, $5, $6, $7"
    " WHERE EXISTS (SELECT 1 FROM services WHERE service_key = $1)"};
// Primary key (service_key, last_seq): one seek, then rows in order.
constexpr Statement read_sql{
    "SELECT first_seq, last_seq, stream_key, first_id, appended_at, positions FROM inbox_blocks"
    " WHERE service_key = $1 AND last_seq > $2 ORDER BY last_seq LIMIT $3"};
constexpr Statement drop_sql{"DELETE FROM inbox_blocks WHERE service_key = $1 AND last_seq <= $2"};
constexpr Statement ends_sql{
    "SELECT service_key, MAX(last_seq), MIN(appended_at) FROM inbox_blocks GROUP BY service_key"};
// Index inbox_blocks_by_position: the first row of the stream.
constexpr Statement oldest_sql{"SELECT MIN(first_id) FROM inbox_blocks WHERE stream_key = $1"};

}  // namespace

Result<void> insert_inbox_block(SqlConnection& connection, ServiceKey service,
                                const InboxBlock& block) {
  return connection.enqueue(
      insert_sql,
      {service.value, block.last_seq.value, block.first_seq.value, block.stream.value,
       block.first_id.value, unix_milliseconds(block.appended_at), Blob{block.positions}});
}

Result<std::vector<InboxBlock>> read_inbox_blocks(SqlConnection& connection, ServiceKey service,
                                                  InboxSeq after, std::int64_t count_max) {
  std::vector<InboxBlock> blocks;
  TRY_VOID(connection.execute(read_sql, {service.value, after.value, count_max},
                              [&blocks](const SqlRow& row) {
                                blocks.push_back({.first_seq = InboxSeq{row.integer(0)},
                                                  .last_seq = InboxSeq{row.integer(1)},
                                                  .stream = StreamKey{row.integer(2)},
                                                  .first_id = StreamId{row.integer(3)},
                                                  .appended_at = wall_time(row.integer(4)),
                                                  .positions = std::string(row.blob(5))});
                              }));
  return blocks;
}

Result<void> drop_inbox_blocks(SqlConnection& connection, ServiceKey service, InboxSeq through) {
  return connection.enqueue(drop_sql, {service.value, through.value});
}

Result<std::vector<InboxEnd>> read_inbox_ends(SqlConnection& connection) {
  std::vector<InboxEnd> ends;
  TRY_VOID(connection.execute(ends_sql, {}, [&ends](const SqlRow& row) {
    ends.push_back(
        {ServiceKey{row.integer(0)}, InboxSeq{row.integer(1)}, wall_time(row.integer(2))});
  }));
  return ends;
}

Result<std::optional<StreamId>> oldest_needed(SqlConnection& connection, StreamKey stream) {
  std::optional<StreamId> oldest;
  TRY_VOID(connection.execute(oldest_sql, {stream.value}, [&oldest](const SqlRow& row) {
    if (!row.is_null(0)) oldest = StreamId{row.integer(0)};
  }));
  return oldest;
}

}  // namespace postrider
