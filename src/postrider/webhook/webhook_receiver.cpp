#include "postrider/webhook/webhook_receiver.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "postrider/sort/type_interest.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

constexpr int gone = 410;
constexpr int payload_too_large = 413;

std::string json_text(std::string_view text) {
  return json::serialize(json::string(text));
}

std::shared_ptr<const HttpBody> transaction_body(const OutgoingTransaction& transaction) {
  std::string head = fmt::format(R"({{"id":{},"stream":{},"first":{},"last":{},"facts":[)",
                                 json_text(transaction.id), json_text(transaction.stream),
                                 transaction.first, transaction.last);
  return HttpBody::joined(std::move(head), transaction.payloads, "]}", transaction.payload_owner);
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

}  // namespace

WebhookReceiver::WebhookReceiver(WebhookDocument document)
    : Receiver(document.id), document_(std::move(document)) {}

json::object WebhookReceiver::document(Secrets secrets) const {
  json::object object;
  object["id"] = document_.id;
  object["kind"] = kind();
  object["url"] = nullptr;
  if (document_.url) object["url"] = *document_.url;
  object["types"] = array_of(document_.types);
  object["streams"] = array_of(document_.streams);
  json::object headers;
  for (const auto& [name, value] : document_.headers) {
    headers[name] = secrets == Secrets::show ? std::string_view(value) : hidden_value;
  }
  object["headers"] = std::move(headers);
  if (document_.acknowledge_behind) object["acknowledge_behind"] = *document_.acknowledge_behind;
  if (secrets == Secrets::show) object["secret"] = document_.secret.text();
  return object;
}

/// Of a header like `Authorization: Basic dTpw` an echo may show the last word alone.
std::vector<std::string> WebhookReceiver::secrets() const {
  std::vector<std::string> secrets = {document_.secret.text()};
  for (const auto& [name, value] : document_.headers) {
    secrets.push_back(value);
    secrets.push_back(value.substr(value.rfind(' ') + 1));
  }
  return secrets;
}

std::shared_ptr<const Interest> WebhookReceiver::interest() const {
  return std::make_shared<const TypeInterest>(document_.types, document_.streams);
}

DeliveryPolicy WebhookReceiver::policy(const DeliveryPolicy& defaults) const {
  DeliveryPolicy policy = defaults;
  policy.acknowledge_behind = document_.acknowledge_behind.value_or(policy.acknowledge_behind);
  return policy;
}

HttpRequest WebhookReceiver::request(std::string_view id, WallTime now,
                                     std::shared_ptr<const HttpBody> body) const {
  const std::string timestamp = webhook_timestamp(now);
  HttpRequest request;
  request.method = "POST";
  request.url = *document_.url;
  request.headers = {{"Content-Type", "application/json"},
                     {"webhook-id", std::string(id)},
                     {"webhook-timestamp", timestamp},
                     {"webhook-signature", document_.secret.sign(id, timestamp, body->pieces())}};
  for (const auto& header : document_.headers) request.headers.push_back(header);
  request.body = std::move(body);
  return request;
}

HttpRequest WebhookReceiver::compose(const OutgoingTransaction& transaction) const {
  return request(transaction.id, transaction.attempted_at, transaction_body(transaction));
}

HttpRequest WebhookReceiver::compose_ping(std::string_view id, WallTime now) const {
  std::string body = fmt::format(R"({{"id":{},"stream":null,"first":null,"last":null,"facts":[]}})",
                                 json_text(id));
  return request(id, now, std::make_shared<const HttpBody>(std::move(body)));
}

Verdict WebhookReceiver::judge(const HttpResponse& response) const {
  if (response.status == gone) return Verdict::stop;
  if (response.status == payload_too_large) return Verdict::split;
  return judge_by_status(response.status);
}

}  // namespace postrider
