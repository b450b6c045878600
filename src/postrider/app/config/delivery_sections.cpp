#include "postrider/app/config/sections.hpp"
#include "postrider/app/config/text_rules.hpp"

namespace postrider {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

void add_delivery_sections(SettingTable& table, Settings& settings) {
  table.list("services", settings.services, path_fault);

  DeliveryPolicy& delivery = settings.engine.services.delivery;
  CurlHttpClientSettings& client = settings.http_client;
  table.number("delivery.transaction_facts_max", delivery.limits.facts_max, 1, 10'000);
  table.size("delivery.transaction_bytes_max", delivery.limits.bytes_max, kibibyte,
             1024 * mebibyte);
  table.size("delivery.in_flight_bytes_max", settings.engine.in_flight_bytes_max, mebibyte,
             mebibyte << 20);
  table.duration("delivery.request_timeout", delivery.request_timeout, milliseconds{100}, hours{1});
  table.duration("delivery.connect_timeout", client.connect_timeout, milliseconds{100}, hours{1});
  table.number("delivery.connections_max", client.connections_max, 1, 1'000'000);
  table.number("delivery.connections_per_host_max", client.connections_per_host_max, 1, 1'000'000);
  table.size("delivery.response_bytes_max", client.response_bytes_max, 0, 16 * mebibyte);
  table.duration("delivery.backoff.min", delivery.backoff.min, milliseconds{10}, days{7});
  table.duration("delivery.backoff.max", delivery.backoff.max, milliseconds{10}, days{30});
  table.number("delivery.backoff.multiplier", delivery.backoff.multiplier, 1, 10);

  table.number("delivery.acknowledge_behind", delivery.acknowledge_behind, 0,
               acknowledge_behind_max);

  table.text("matrix.server_name", settings.engine.catalog.server_name, server_name_fault);

  RegistrationLimits& limits = settings.engine.catalog.registration;
  table.number("limits.services_max", settings.engine.services.services_max, 1, 100'000);
  table.number("limits.patterns_per_service_max", limits.patterns_per_service_max, 1, 100'000);
  table.size("limits.pattern_bytes_max", limits.pattern_bytes_max, 16, mebibyte);

  table.list("outbound.allow", settings.outbound_allow, address_range_fault);
}

}  // namespace postrider
