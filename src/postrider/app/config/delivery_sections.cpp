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

  DeliverySection& delivery = settings.delivery;
  table.number("delivery.transaction_facts_max", delivery.transaction_facts_max, 1, 10'000);
  table.size("delivery.transaction_bytes_max", delivery.transaction_bytes_max, kibibyte,
             1024 * mebibyte);
  table.duration("delivery.request_timeout", delivery.request_timeout, milliseconds{100}, hours{1});
  table.duration("delivery.connect_timeout", delivery.connect_timeout, milliseconds{100}, hours{1});
  table.size("delivery.response_bytes_max", delivery.response_bytes_max, 0, 16 * mebibyte);
  table.duration("delivery.backoff.min", delivery.backoff.min, milliseconds{10}, days{7});
  table.duration("delivery.backoff.max", delivery.backoff.max, milliseconds{10}, days{30});
  table.number("delivery.backoff.multiplier", delivery.backoff.multiplier, 1, 10);

  table.text("matrix.server_name", settings.matrix.server_name, server_name_fault);

  LimitSection& limits = settings.limits;
  table.number("limits.services_max", limits.services_max, 1, 100'000);
  table.number("limits.patterns_per_service_max", limits.patterns_per_service_max, 1, 100'000);
  table.size("limits.pattern_bytes_max", limits.pattern_bytes_max, 16, mebibyte);

  table.list("outbound.allow", settings.outbound.allow, address_range_fault);
}

}  // namespace postrider
