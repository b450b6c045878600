#include "postrider/store/outbox_batches.hpp"

namespace postrider {
namespace {

constexpr Statement read_sql{
    "SELECT stream_key, number, last_id, row_ids FROM outbox_batches WHERE outbox = $1"
    " ORDER BY stream_key"};
constexpr Statement insert_sql{
    "INSERT INTO outbox_batches (outbox, stream_key, number, last_id, row_ids)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (outbox, stream_key) DO NOTHING"};
constexpr Statement replace_sql{
    "UPDATE outbox_batches SET number = $3, last_id = $4, row_ids = $5"
    " WHERE outbox = $1 AND stream_key = $2 AND number = $3 - 1 AND last_id < $6"};

}  // namespace

Result<std::vector<OutboxBatch>> read_outbox_batches(SqlConnection& connection,
                                                     std::string_view outbox) {
  std::vector<OutboxBatch> batches;
  TRY_VOID(connection.execute(read_sql, {outbox}, [&batches](const SqlRow& row) {
    batches.push_back({StreamKey{row.integer(0)}, row.integer(1), StreamId{row.integer(2)},
                       std::string(row.text(3))});
  }));
  return batches;
}

Result<bool> put_outbox_batch(SqlConnection& connection, std::string_view outbox,
                              const OutboxBatch& batch, StreamId first) {
  const std::string_view row_ids(batch.row_ids);
  std::int64_t changed = 0;
  if (batch.number == 1) {
    TRY(changed, connection.execute(insert_sql, {outbox, batch.stream.value, batch.number,
                                                 batch.last.value, row_ids}));
  } else {
    TRY(changed, connection.execute(replace_sql, {outbox, batch.stream.value, batch.number,
                                                  batch.last.value, row_ids, first.value}));
  }
  return changed > 0;
}

}  // namespace postrider
