#include "postrider/store/outbox_batches.hpp"

namespace postrider {
namespace {

constexpr Statement read_sql{
    "SELECT stream_key, number, row_ids FROM outbox_batches WHERE outbox = $1"
    " ORDER BY stream_key"};
constexpr Statement insert_sql{
    "INSERT INTO outbox_batches (outbox, stream_key, number, row_ids) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (outbox, stream_key) DO NOTHING"};
constexpr Statement replace_sql{
    "UPDATE outbox_batches SET number = $3, row_ids = $4"
    " WHERE outbox = $1 AND stream_key = $2 AND number = $3 - 1"};

}  // namespace

Result<std::vector<OutboxBatch>> read_outbox_batches(SqlConnection& connection,
                                                     std::string_view outbox) {
  std::vector<OutboxBatch> batches;
  TRY_VOID(connection.execute(read_sql, {outbox}, [&batches](const SqlRow& row) {
    batches.push_back({StreamKey{row.integer(0)}, row.integer(1), std::string(row.text(2))});
  }));
  return batches;
}

Result<bool> put_outbox_batch(SqlConnection& connection, std::string_view outbox,
                              const OutboxBatch& batch) {
  const Statement& sql = batch.number == 1 ? insert_sql : replace_sql;
  TRY(const std::int64_t changed, connection.execute(sql, {outbox, batch.stream.value, batch.number,
                                                           std::string_view(batch.row_ids)}));
  return changed > 0;
}

}  // namespace postrider
