#include "postrider/store/cursors.hpp"

#include <limits>
#include <optional>
#include <string>

#include "postrider/base/varint.hpp"

namespace postrider {
namespace {

// `exceptions` is NULL, or lists: what it is of, how many numbers follow, and these, all varints.
// So far there is one: where frozen transactions after the first one end, each as its distance from
// the one before.
constexpr std::uint64_t frozen_after_the_first = 1;

constexpr Statement read_sql{
    "SELECT service_key, stream_key, acknowledged_id, transaction_number, frozen_through_id,"
    " delivered, exceptions FROM delivery_cursors ORDER BY stream_key, service_key"};
// Primary key (stream_key, service_key): one seek, then rows in order.
constexpr Statement acknowledged_sql{
    "SELECT service_key, acknowledged_id FROM delivery_cursors"
    " WHERE stream_key = $1 AND service_key >= $2 AND service_key <= $3"};
constexpr Statement put_sql{
    "INSERT INTO delivery_cursors (service_key, stream_key, acknowledged_id, transaction_number,"
    " frozen_through_id, delivered, exceptions) SELECT $1, $2, $3, $4, $5, $6, $7"
    " WHERE EXISTS (SELECT 1 FROM services WHERE service_key = $1)"
    " ON CONFLICT (stream_key, service_key) DO UPDATE SET"
    " acknowledged_id = excluded.acknowledged_id, transaction_number = excluded.transaction_number,"
    " frozen_through_id = excluded.frozen_through_id, delivered = excluded.delivered,"
    " exceptions = excluded.exceptions"};

std::string pack_exceptions(const DeliveryCursor& cursor) {
  std::string packed;
  put_varint(packed, frozen_after_the_first);
  put_varint(packed, cursor.frozen.size() - 1);
  for (std::size_t i = 1; i < cursor.frozen.size(); ++i) {
    const std::int64_t distance = cursor.frozen[i].value - cursor.frozen[i - 1].value;
    put_varint(packed, static_cast<std::uint64_t>(distance));
  }
  return packed;
}

/// False when the bytes are not such lists.
bool unpack_exceptions(std::string_view packed, DeliveryCursor& cursor) {
  const auto kind = take_varint(packed);
  const auto count = take_varint(packed);
  if (kind != frozen_after_the_first || !count || cursor.frozen.empty()) return false;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto distance = take_varint(packed);
    const auto room = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() -
                                                 cursor.frozen.back().value);
    if (!distance || *distance == 0 || *distance > room) return false;
    cursor.frozen.push_back(cursor.frozen.back().plus(static_cast<std::int64_t>(*distance)));
  }
  return packed.empty();
}

Result<StoredCursor> cursor_in(const SqlRow& row) {
  StoredCursor stored{.service = ServiceKey{row.integer(0)},
                      .stream = StreamKey{row.integer(1)},
                      .cursor = {.acknowledged = StreamId{row.integer(2)},
                                 .transaction = TransactionNumber{row.integer(3)},
                                 .frozen = {},
                                 .delivered = row.integer(5)}};
  if (!row.is_null(4)) stored.cursor.frozen.emplace_back(row.integer(4));
  if (!row.is_null(6) && !unpack_exceptions(row.blob(6), stored.cursor)) {
    return fail(Code::storage_failed, "the cursor of service {} in stream {} is damaged",
                stored.service, stored.stream);
  }
  return stored;
}

}  // namespace

Result<std::vector<StoredCursor>> read_cursors(SqlConnection& connection) {
  std::vector<StoredCursor> cursors;
  Result<void> read;
  TRY_VOID(connection.execute(read_sql, {}, [&cursors, &read](const SqlRow& row) {
    auto cursor = cursor_in(row);
    if (cursor) {
      cursors.push_back(*std::move(cursor));
    } else {
      read = std::unexpected(std::move(cursor).error());
    }
  }));
  TRY_VOID(std::move(read));
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
  SqlValue exceptions = nullptr;
  std::string packed;
  if (!cursor.frozen.empty()) frozen_through = cursor.frozen.front().value;
  if (cursor.frozen.size() > 1) {
    packed = pack_exceptions(cursor);
    exceptions = Blob{packed};
  }
  return connection.enqueue(
      put_sql, {service.value, stream.value, cursor.acknowledged.value, cursor.transaction.value,
                frozen_through, cursor.delivered, exceptions});
}

}  // namespace postrider
