// The document of a webhook: what is taken is taken again from its own JSON form, and can be
// matched and sent to.
#include "fuzz/input.hpp"
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/base/assert.hpp"
#include "postrider/sort/type_interest.hpp"
#include "postrider/webhook/webhook_receiver.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  const FuzzInput input(data, size);
  boost::system::error_code error;
  const auto document = boost::json::parse(input.rest(), error);
  if (error || !document.is_object()) return 0;
  const WebhookKind kind;
  const auto receiver = kind.parse(document.get_object());
  if (!receiver) return 0;
  const auto stored = (*receiver)->document(Secrets::show);
  const auto again = kind.parse(stored);
  POSTRIDER_ASSERT(again.has_value(), "{} is not taken again: {}", boost::json::serialize(stored),
                   again.error().detail);
  POSTRIDER_ASSERT((*again)->document(Secrets::show) == stored, "{} has changed",
                   boost::json::serialize(stored));
  POSTRIDER_ASSERT(!(*receiver)->document(Secrets::hide).contains("secret"), "the secret is shown");
  const TypeIndex index({{ServiceKey{1}, (*receiver)->interest()}}, nullptr);
  POSTRIDER_ASSERT(index.of_type("order.placed").size() <= 1 && index.of_stream("shop").size() <= 1,
                   "one service counts once");
  if (!(*receiver)->url()) return 0;
  const HttpRequest ping = (*receiver)->compose_ping("id", wall_time(0));
  POSTRIDER_ASSERT(ping.url == *(*receiver)->url(), "a ping of {} goes to {}", *(*receiver)->url(),
                   ping.url);
  return 0;
}
