#include "postrider/store/cursors.hpp"

namespace postrider {
namespace {

constexpr Statement read_sql{
    "SELECT service_key, stream_key, acknowledged_id, transaction_number, frozen_through_id,"
    " delivered FROM delivery_cursors ORDER BY stream_key, service_key"};
// Primary key (stream_key, service_key): one seek, then rows in order.
constexpr Statement acknowledged_sql{
    "SELECT service_key, acknowledged_id FROM delivery_cursors"
    " WHERE stream_key = $1 AND service_key >= $2 AND service_key <= $3"};
constexpr Statement put_sql{
    "INSERT INTO delivery_cursors (service_key, stream_key, acknowledged_id, transaction_number,"
    " frozen_through_id, delivered) SELECT $1, $2, $3, $4, $5, $6"
    " WHERE EXISTS (SELECT 1 FROM services WHERE service_key = $1)"
    " ON CONFLICT (stream_key, service_key) DO UPDATE SET"
    " acknowledged_id = excluded.acknowledged_id, transaction_number = excluded.transaction_number,"
    " frozen_through_id = excluded.frozen_through_id, delivered = excluded.delivered"};

}  // namespace

Result<std::vector<StoredCursor>> read_cursors(SqlConnection& connection) {
  std::vector<StoredCursor> cursors;
  TRY_VOID(connection.execute(read_sql, {}, [&cursors](const SqlRow& row) {
    DeliveryCursor cursor{.acknowledged = StreamId{row.integer(2)},
                          .transaction = TransactionNumber{row.integer(3)},
                          .frozen_through = std::nullopt,
                          .delivered = row.integer(5)};
    if (!row.is_null(4)) cursor.frozen_through = StreamId{row.integer(4)};
    cursors.push_back({ServiceKey{row.integer(0)}, StreamKey{row.integer(1)}, cursor});
  }));
  return cursors;
}

Result<std::map<ServiceKey, StreamId>> read_acknowledged(SqlConnection& connection,
                                                         StreamKey stream,
                                                         const ServiceRange& services) {
  std::map<ServiceKey, StreamId> acknowledged;
  TRY_VOID(connection.execute(
      acknowledged_sql, {stream.value, services.first.value, services.last.value},
      [&acknowledged](const SqlRow& row) {
        acknowledged.emplace(ServiceKey{row.integer(0)}, StreamId{row.integer(1)});
      }));
  return acknowledged;
}

Result<void> put_cursor(SqlConnection& connection, ServiceKey service, StreamKey stream,
                        const DeliveryCursor& cursor) {
  SqlValue frozen_through = nullptr;
  if (cursor.frozen_through) frozen_through = cursor.frozen_through->value;
  return connection.enqueue(put_sql, {service.value, stream.value, cursor.acknowledged.value,
                                      cursor.transaction.value, frozen_through, cursor.delivered});
}

}  // namespace postrider
