#include "sim/history/documents.hpp"

#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/matrix/matrix_receiver.hpp"
#include "postrider/webhook/webhook_receiver.hpp"
#include "sim/history/webhook_request.hpp"

namespace postrider::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view any_tail = ".*";

std::vector<NamespaceEntry> entries_of(const std::vector<std::string>& prefixes) {
  std::vector<NamespaceEntry> entries;
  for (const std::string& prefix : prefixes) {
    entries.push_back({prefix + std::string(any_tail), false});
  }
  return entries;
}

std::vector<std::string> prefixes_of(const std::vector<NamespaceEntry>& entries) {
  std::vector<std::string> prefixes;
  for (const NamespaceEntry& entry : entries) {
    prefixes.push_back(entry.regex.substr(0, entry.regex.size() - any_tail.size()));
  }
  return prefixes;
}

Registration registration_of(const std::string& id, const PlainRegistration& plain, bool pushed) {
  Registration registration;
  registration.id = id;
  if (pushed) registration.url = "http://" + id + ".test";
  registration.as_token = "as_" + id;
  registration.hs_token = "hs_" + id;
  registration.sender_localpart = plain.sender_localpart;
  registration.namespaces.users = entries_of(plain.users);
  registration.namespaces.rooms = entries_of(plain.rooms);
  registration.namespaces.aliases = entries_of(plain.aliases);
  return registration;
}

PlainRegistration plain_of(const Registration& registration) {
  return {.sender_localpart = registration.sender_localpart,
          .users = prefixes_of(registration.namespaces.users),
          .rooms = prefixes_of(registration.namespaces.rooms),
          .aliases = prefixes_of(registration.namespaces.aliases)};
}

json::object document_of(const std::string& id, const PlainWebhook& plain, bool pushed) {
  json::array types;
  for (const std::string& prefix : plain.types) types.emplace_back(prefix + "*");
  json::array streams;
  for (const std::string& stream : plain.streams) streams.emplace_back(stream);
  if (streams.empty()) streams.emplace_back("*");
  json::object document;
  document["id"] = id;
  document["kind"] = "webhook";
  document["url"] = nullptr;
  if (pushed) document["url"] = "http://" + id + ".test/hook";
  document["types"] = std::move(types);
  document["streams"] = std::move(streams);
  document["secret"] = webhook_secret(id);
  return document;
}

PlainWebhook plain_of(const json::object& document) {
  PlainWebhook plain;
  for (const auto& glob : document.at("types").as_array()) {
    plain.types.emplace_back(glob.as_string());
    plain.types.back().pop_back();
  }
  for (const auto& stream : document.at("streams").as_array()) {
    if (stream.as_string() != "*") plain.streams.emplace_back(stream.as_string());
  }
  return plain;
}

}  // namespace

std::shared_ptr<const Receiver> receiver_of(const std::string& id, const PlainService& service,
                                            bool pushed) {
  if (const auto* webhook = std::get_if<PlainWebhook>(&service)) {
    return WebhookKind().parse(document_of(id, *webhook, pushed)).value();
  }
  return std::make_shared<const MatrixReceiver>(
      registration_of(id, std::get<PlainRegistration>(service), pushed));
}

std::shared_ptr<const Receiver> declared_receiver(const std::string& id, int number) {
  PlainWebhook plain;
  plain.types = {fmt::format("nothing.{}.", number)};
  return receiver_of(id, plain, true);
}

std::optional<Registrations::Stored> read_stored(const ServiceRow& row) {
  const json::value document = json::parse(row.document);
  if (row.kind == "webhook") {
    const json::object& webhook = document.as_object();
    if (webhook.at("secret").as_string() != webhook_secret(row.id)) return std::nullopt;
    return Registrations::Stored{row.transaction_prefix, plain_of(webhook),
                                 !webhook.at("url").is_null()};
  }
  if (row.kind != "matrix") return std::nullopt;
  const auto registration = parse_registration(document, {});
  if (!registration) return std::nullopt;
  return Registrations::Stored{row.transaction_prefix, plain_of(*registration),
                               registration->url.has_value()};
}

}  // namespace postrider::sim
