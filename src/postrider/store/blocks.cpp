#include "postrider/store/blocks.hpp"

namespace postrider {
namespace {

constexpr Statement insert_sql{
    "INSERT INTO blocks (stream_key, first_id, last_id, fact_count, appended_at, codec, raw_bytes,"
    " data, instance_key, checksum) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};

// Index blocks_by_position: one seek, then rows in order.
constexpr Statement read_sql{
    "SELECT first_id, last_id, fact_count, appended_at, codec, raw_bytes, data, instance_key,"
    " checksum FROM blocks"
    " WHERE stream_key = $1 AND last_id > $2 ORDER BY last_id LIMIT $3"};

constexpr Statement last_sql{"SELECT MAX(last_id) FROM blocks WHERE stream_key = $1"};

constexpr Statement last_before_sql{
    "SELECT MAX(last_id) FROM blocks WHERE stream_key = $1 AND last_id < $2"};

// Index blocks_by_position: one seek. Blocks do not overlap.
constexpr Statement writer_sql{
    "SELECT first_id, instance_key FROM blocks WHERE stream_key = $1 AND last_id >= $2"
    " ORDER BY last_id LIMIT 1"};

// Index blocks_by_position from its low end; stops at the first block that is too young, so that
// only a prefix of the stream ever goes.
constexpr Statement droppable_sql{
    "SELECT last_id, appended_at FROM blocks WHERE stream_key = $1 AND last_id < $2"
    " ORDER BY last_id LIMIT $3"};
constexpr Statement drop_sql{"DELETE FROM blocks WHERE stream_key = $1 AND last_id <= $2"};

}  // namespace

Result<void> insert_block(SqlConnection& connection, StreamKey stream, const Block& block) {
  SqlValue checksum = nullptr;
  if (block.checksum) checksum = *block.checksum;
  return connection.enqueue(insert_sql,
                            {stream.value, block.first.value, block.last.value, block.fact_count,
                             unix_milliseconds(block.appended_at), block.codec, block.raw_bytes,
                             Blob{block.data}, block.writer.value, checksum});
}

Result<std::vector<Block>> read_blocks(SqlConnection& connection, StreamKey stream, StreamId after,
                                       std::int64_t count_max) {
  std::vector<Block> blocks;
  TRY_VOID(connection.execute(read_sql, {stream.value, after.value, count_max},
                              [&blocks](const SqlRow& row) {
                                blocks.push_back({.first = StreamId{row.integer(0)},
                                                  .last = StreamId{row.integer(1)},
                                                  .fact_count = row.integer(2),
                                                  .appended_at = wall_time(row.integer(3)),
                                                  .codec = std::string(row.text(4)),
                                                  .raw_bytes = row.integer(5),
                                                  .data = std::string(row.blob(6)),
                                                  .writer = InstanceKey{row.integer(7)},
                                                  .checksum = {}});
                                if (!row.is_null(8)) blocks.back().checksum = row.integer(8);
                              }));
  return blocks;
}

Result<std::optional<StreamId>> last_stored_id(SqlConnection& connection, StreamKey stream) {
  std::optional<StreamId> last;
  TRY_VOID(connection.execute(last_sql, {stream.value}, [&last](const SqlRow& row) {
    if (!row.is_null(0)) last = StreamId{row.integer(0)};
  }));
  return last;
}

Result<StreamId> last_stored_before(SqlConnection& connection, StreamKey stream, StreamId id) {
  StreamId last;
  TRY_VOID(
      connection.execute(last_before_sql, {stream.value, id.value}, [&last](const SqlRow& row) {
        if (!row.is_null(0)) last = StreamId{row.integer(0)};
      }));
  return last;
}

Result<std::optional<InstanceKey>> find_writer(SqlConnection& connection, StreamKey stream,
                                               StreamId fact) {
  std::optional<InstanceKey> writer;
  TRY_VOID(connection.execute(writer_sql, {stream.value, fact.value}, [&](const SqlRow& row) {
    if (StreamId{row.integer(0)} <= fact) writer = InstanceKey{row.integer(1)};
  }));
  return writer;
}

Result<DroppedBlocks> drop_blocks(SqlConnection& connection, StreamKey stream, StreamId below,
                                  WallTime appended_before, std::int64_t count_max) {
  DroppedBlocks dropped;
  bool young = false;
  TRY_VOID(connection.execute(droppable_sql, {stream.value, below.value, count_max},
                              [&](const SqlRow& row) {
                                young = young || wall_time(row.integer(1)) >= appended_before;
                                if (young) return;
                                ++dropped.count;
                                dropped.last = StreamId{row.integer(0)};
                              }));
  if (dropped.count > 0) {
    TRY_VOID(connection.enqueue(drop_sql, {stream.value, dropped.last.value}));
  }
  return dropped;
}

}  // namespace postrider
