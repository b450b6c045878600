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
    "SELECT first_id, last_id, fact_count, appended_at, positions, s.service_key FROM services s"
    " JOIN inbox_blocks b ON b.service_key = s.service_key AND b.stream_key = $1 AND b.last_id ="
    " (SELECT MAX(last_id) FROM inbox_blocks m WHERE m.service_key = s.service_key"
    " AND m.stream_key = $1)"
    " WHERE s.service_key >= $2 AND s.service_key <= $3 AND fact_count < $4"};
constexpr Statement drop_one_sql{
    "DELETE FROM inbox_blocks WHERE service_key = $1 AND stream_key = $2 AND last_id = $3"};
constexpr Statement drop_sql{
    "DELETE FROM inbox_blocks WHERE service_key = $1 AND stream_key = $2 AND last_id <= $3"};
constexpr Statement ends_sql{
    "SELECT service_key, stream_key, CAST(SUM(fact_count) AS BIGINT), MIN(appended_at)"
    " FROM inbox_blocks GROUP BY service_key, stream_key"};
constexpr Statement begun_sql{
    "SELECT first_id, last_id, fact_count, appended_at, positions, b.service_key, b.stream_key,"
    " acknowledged_id FROM delivery_cursors c JOIN inbox_blocks b ON b.service_key = c.service_key"
    " AND b.stream_key = c.stream_key AND last_id > acknowledged_id"
    " WHERE first_id <= acknowledged_id"};
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

Result<std::map<ServiceKey, InboxBlock>> last_inbox_blocks(SqlConnection& connection,
                                                           StreamKey stream,
                                                           const ServiceRange& services,
                                                           std::int64_t fact_count_below) {
  std::map<ServiceKey, InboxBlock> blocks;
  TRY_VOID(connection.execute(
      last_sql, {stream.value, services.first.value, services.last.value, fact_count_below},
      [&blocks](const SqlRow& row) { blocks.emplace(ServiceKey{row.integer(5)}, block_of(row)); }));
  return blocks;
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

Result<std::vector<BegunInboxBlock>> read_begun_inbox_blocks(SqlConnection& connection) {
  std::vector<BegunInboxBlock> blocks;
  TRY_VOID(connection.execute(begun_sql, {}, [&blocks](const SqlRow& row) {
    blocks.push_back({.service = ServiceKey{row.integer(5)},
                      .stream = StreamKey{row.integer(6)},
                      .acknowledged = StreamId{row.integer(7)},
                      .block = block_of(row)});
  }));
  return blocks;
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
