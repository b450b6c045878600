#include "postrider/api/service_view.hpp"

#include <algorithm>

#include <fmt/chrono.h>

namespace postrider {

std::string utc_text(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(whole.time_since_epoch().count())),
                     (time - whole).count());
}

namespace {

boost::json::array causes_view(PauseCauses causes) {
  boost::json::array names;
  if (causes.has(PauseCause::by_operator)) names.emplace_back("operator");
  if (causes.has(PauseCause::undeclared)) names.emplace_back("configuration");
  if (causes.has(PauseCause::by_receiver)) names.emplace_back("receiver");
  return names;
}

}  // namespace

boost::json::object service_view(const Service& service, WallTime now) {
  const DeliveryState& delivery = service.delivery;
  boost::json::object view;
  view["id"] = service.row.id;
  view["kind"] = service.receiver->kind();
  view["state"] = name_of(delivery.status);
  view["paused_by"] = causes_view(delivery.paused_by);
  view["behind"] = service.behind();
  const auto oldest = service.oldest_appended_at();
  view["oldest_undelivered_ms"] =
      oldest ? std::max<std::int64_t>(0, (now - *oldest).count()) : std::int64_t{0};
  view["delivered"] = service.delivered();
  view["last_error"] = nullptr;
  if (!delivery.last_error.empty()) view["last_error"] = delivery.last_error;
  view["next_attempt_at"] = nullptr;
  if (delivery.next_attempt_at) view["next_attempt_at"] = utc_text(*delivery.next_attempt_at);
  view["attempts"] = delivery.attempts;
  view["source"] = service.row.source == ServiceSource::configuration ? "configuration" : "api";
  view["document"] = service.receiver->document(Secrets::hide);
  return view;
}

}  // namespace postrider
