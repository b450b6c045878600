#include "postrider/store/services.hpp"

#include <array>
#include <chrono>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, 4> status_names = {"up", "down", "paused", "untested"};
constexpr std::array<std::string_view, 2> source_names = {"configuration", "api"};

template <class Enum, std::size_t N>
Enum from_name(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  POSTRIDER_ASSERT(false, "\"{}\" in the database", name);
}

constexpr Statement read_sql{
    "SELECT s.service_key, id, source, COALESCE(kind, ''), document, transaction_prefix, status,"
    " attempts, retry_interval_ms, next_attempt_at, last_error, paused_by FROM services s"
    " JOIN delivery_states d ON d.service_key = s.service_key"
    " ORDER BY s.service_key"};
constexpr Statement insert_sql{
    "INSERT INTO services (id, source, kind, document, transaction_prefix, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6) RETURNING service_key"};
constexpr Statement insert_state_sql{
    "INSERT INTO delivery_states (service_key, status) VALUES ($1, 'untested')"};
constexpr Statement update_document_sql{
    "UPDATE services SET source = $2, document = $3 WHERE service_key = $1"};
constexpr Statement delete_sql{"DELETE FROM services WHERE service_key = $1"};
constexpr Statement delete_state_sql{"DELETE FROM delivery_states WHERE service_key = $1"};
constexpr Statement delete_cursors_sql{"DELETE FROM delivery_cursors WHERE service_key = $1"};
constexpr Statement delete_inbox_sql{"DELETE FROM inbox_blocks WHERE service_key = $1"};
constexpr Statement update_state_sql{
    "UPDATE delivery_states SET status = $2, attempts = $3, retry_interval_ms = $4,"
    " next_attempt_at = $5, last_error = $6, paused_by = $7 WHERE service_key = $1"};

StoredService stored_service(const SqlRow& row) {
  StoredService service;
  service.row = {.key = ServiceKey{row.integer(0)},
                 .id = std::string(row.text(1)),
                 .source = from_name<ServiceSource>(source_names, row.text(2)),
                 .kind = std::string(row.text(3)),
                 .document = std::string(row.text(4)),
                 .transaction_prefix = std::string(row.text(5))};
  DeliveryState& delivery = service.delivery;
  delivery.status = from_name<DeliveryStatus>(status_names, row.text(6));
  delivery.attempts = row.integer(7);
  delivery.retry_interval = milliseconds{row.integer(8)};
  if (!row.is_null(9)) delivery.next_attempt_at = wall_time(row.integer(9));
  delivery.last_error = std::string(row.text(10));
  delivery.paused_by = PauseCauses(row.integer(11));
  const bool is_paused = delivery.status == DeliveryStatus::paused;
  // A process from before there were causes may have paused it.
  if (is_paused && !delivery.paused_by.any()) delivery.paused_by.add(PauseCause::by_operator);
  if (!is_paused) delivery.paused_by = {};
  return service;
}

}  // namespace

std::string_view name_of(DeliveryStatus status) {
  return status_names.at(static_cast<std::size_t>(status));
}

Result<std::vector<StoredService>> read_services(SqlConnection& connection) {
  std::vector<StoredService> services;
  TRY_VOID(connection.execute(
      read_sql, {}, [&services](const SqlRow& row) { services.push_back(stored_service(row)); }));
  return services;
}

Result<ServiceKey> insert_service(SqlConnection& connection, const ServiceRow& row, WallTime now) {
  ServiceKey key;
  TRY_VOID(connection.execute(
      insert_sql,
      {row.id, source_names.at(static_cast<std::size_t>(row.source)), row.kind, row.document,
       row.transaction_prefix, unix_milliseconds(now)},
      [&key](const SqlRow& inserted) { key = ServiceKey{inserted.integer(0)}; }));
  TRY_VOID(connection.enqueue(insert_state_sql, {key.value}));
  return key;
}

Result<void> update_document(SqlConnection& connection, const ServiceRow& row) {
  return connection.enqueue(
      update_document_sql,
      {row.key.value, source_names.at(static_cast<std::size_t>(row.source)), row.document});
}

Result<void> delete_service(SqlConnection& connection, ServiceKey service) {
  TRY_VOID(connection.enqueue(delete_inbox_sql, {service.value}));
  TRY_VOID(connection.enqueue(delete_cursors_sql, {service.value}));
  TRY_VOID(connection.enqueue(delete_state_sql, {service.value}));
  return connection.enqueue(delete_sql, {service.value});
}

Result<void> update_delivery(SqlConnection& connection, ServiceKey service,
                             const DeliveryState& state) {
  SqlValue next_attempt_at = nullptr;
  if (state.next_attempt_at) next_attempt_at = unix_milliseconds(*state.next_attempt_at);
  const std::int64_t interval_ms = duration_cast<milliseconds>(state.retry_interval).count();
  return connection.enqueue(update_state_sql,
                            {service.value, name_of(state.status), state.attempts, interval_ms,
                             next_attempt_at, state.last_error, state.paused_by.bits()});
}

}  // namespace postrider
