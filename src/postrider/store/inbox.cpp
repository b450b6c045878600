#include "postrider/store/inbox.hpp"

#include <algorithm>

namespace postrider {
namespace {

constexpr Statement insert_sql{
    "INSERT INTO inbox_blocks (service_key, stream_key, last_id, first_id, fact_count, appended_at,"
    " positions) SELECT $1, $2, $3, $4, $5, $6, $7"
    " WHERE EXISTS (SELECT 1 FROM services WHERE service_key = $1)"};
// Primary key (service_key, stream_key, last_id): one seek, then rows in order.
constexpr Statement read_sql{
    "SELECT first_id, last_id, fact_count, appended_at, positions FROM inbox_blocks"
    " WHERE service_key = $1 AND stream_key = $2 AND last_id > $3 ORDER BY last_id LIMIT $4"};
constexpr Statement last_sql{
    "SELECT first_id, last_id, fact_count, appended_at, positions FROM inbox_blocks"
    " WHERE service_key = $1 AND stream_key = $2 ORDER BY last_id DESC LIMIT 1"};
constexpr Statement drop_one_sql{
    "DELETE FROM inbox_blocks WHERE service_key = $1 AND stream_key = $2 AND last_id = $3"};
constexpr Statement drop_sql{
    "DELETE FROM inbox_blocks WHERE service_key = $1 AND stream_key = $2 AND last_id <= $3"};
constexpr Statement ends_sql{
    "SELECT service_key, stream_key, CAST(SUM(fact_count) AS BIGINT), MIN(appended_at)"
    " FROM inbox_blocks"
    " GROUP BY service_key, stream_key"};
// Index inbox_blocks_by_position: the first row of the stream.
constexpr Statement oldest_sql{"SELECT MIN(first_id) FROM inbox_blocks WHERE stream_key = $1"};
constexpr Statement oldest_decision_sql{
    "SELECT after_id FROM decisions WHERE stream_key = $1 ORDER BY through_id LIMIT 1"};

InboxBlock block_of(const SqlRow& row) {
  return {.first = StreamId{row.integer(0)},
          .last = StreamId{row.integer(1)},
          .fact_count = row.integer(2),
          .appended_at = wall_time(row.integer(3)),
          .positions = std::string(row.blob(4))};
}

}  // namespace

Result<void> insert_inbox_block(SqlConnection& connection, ServiceKey service, StreamKey stream,
                                const InboxBlock& block) {
  return connection.enqueue(
      insert_sql, {service.value, stream.value, block.last.value, block.first.value,
                   block.fact_count, unix_milliseconds(block.appended_at), Blob{block.positions}});
}

Result<std::vector<InboxBlock>> read_inbox_blocks(SqlConnection& connection, ServiceKey service,
                                                  StreamKey stream, StreamId after,
                                                  std::int64_t count_max) {
  std::vector<InboxBlock> blocks;
  TRY_VOID(connection.execute(read_sql, {service.value, stream.value, after.value, count_max},
                              [&blocks](const SqlRow& row) { blocks.push_back(block_of(row)); }));
  return blocks;
}

Result<std::optional<InboxBlock>> last_inbox_block(SqlConnection& connection, ServiceKey service,
                                                   StreamKey stream) {
  std::optional<InboxBlock> last;
  TRY_VOID(connection.execute(last_sql, {service.value, stream.value},
                              [&last](const SqlRow& row) { last = block_of(row); }));
  return last;
}

Result<void> drop_inbox_block(SqlConnection& connection, ServiceKey service, StreamKey stream,
                              StreamId last) {
  return connection.enqueue(drop_one_sql, {service.value, stream.value, last.value});
}

Result<void> drop_inbox_blocks(SqlConnection& connection, ServiceKey service, StreamKey stream,
                               StreamId through) {
  return connection.enqueue(drop_sql, {service.value, stream.value, through.value});
}

Result<std::vector<InboxEnd>> read_inbox_ends(SqlConnection& connection) {
  std::vector<InboxEnd> ends;
  TRY_VOID(connection.execute(ends_sql, {}, [&ends](const SqlRow& row) {
    ends.push_back({.service = ServiceKey{row.integer(0)},
                    .stream = StreamKey{row.integer(1)},
                    .fact_count = row.integer(2),
                    .oldest_appended_at = wall_time(row.integer(3))});
  }));
  return ends;
}

Result<std::optional<StreamId>> oldest_needed(SqlConnection& connection, StreamKey stream) {
  std::optional<StreamId> oldest;
  // In this order: what is folded in between is in a block.
  TRY_VOID(connection.execute(oldest_decision_sql, {stream.value}, [&oldest](const SqlRow& row) {
    oldest = StreamId{row.integer(0) + 1};
  }));
  TRY_VOID(connection.execute(oldest_sql, {stream.value}, [&oldest](const SqlRow& row) {
    if (row.is_null(0)) return;
    const StreamId first{row.integer(0)};
    oldest = std::min(oldest.value_or(first), first);
  }));
  return oldest;
}

}  // namespace postrider
