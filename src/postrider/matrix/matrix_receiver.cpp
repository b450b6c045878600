#include "postrider/matrix/matrix_receiver.hpp"

#include <utility>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "postrider/matrix/matrix_interest.hpp"

namespace postrider {

MatrixReceiver::MatrixReceiver(Registration registration)
    : Receiver(registration.id), registration_(std::move(registration)) {}

boost::json::object MatrixReceiver::document(Secrets secrets) const {
  return to_json(registration_, secrets);
}

std::vector<UniqueSecret> MatrixReceiver::unique_secrets() const {
  return {{"/as_token", registration_.as_token}, {"/hs_token", registration_.hs_token}};
}

std::vector<std::string> MatrixReceiver::secrets() const {
  return {registration_.as_token, registration_.hs_token};
}

std::shared_ptr<const Interest> MatrixReceiver::interest() const {
  return std::make_shared<const MatrixInterest>(registration_.sender_localpart,
                                                registration_.namespaces);
}

std::vector<std::string> MatrixReceiver::warnings() const {
  const Namespaces& namespaces = registration_.namespaces;
  if (!namespaces.users.empty() || !namespaces.rooms.empty() || !namespaces.aliases.empty()) {
    return {};
  }
  return {
      fmt::format("its namespaces are empty, so it gets only facts of its own user @{} and of"
                  " the rooms that this user is in",
                  registration_.sender_localpart)};
}

HttpRequest MatrixReceiver::request(std::string method, const std::string& path) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = *registration_.url + "/_matrix/app/v1" + path;
  request.headers = {{"Authorization", fmt::format("Bearer {}", registration_.hs_token)},
                     {"Content-Type", "application/json"},
                     {"Accept", "application/json"}};
  return request;
}

HttpRequest MatrixReceiver::compose(const OutgoingTransaction& transaction) const {
  HttpRequest put = request("PUT", fmt::format("/transactions/{}", transaction.id));
  put.body =
      HttpBody::joined(R"({"events":[)", transaction.payloads, "]}", transaction.payload_owner);
  return put;
}

HttpRequest MatrixReceiver::compose_ping(std::string_view id, WallTime) const {
  HttpRequest post = request("POST", "/ping");
  const boost::json::object body = {{"transaction_id", id}};
  post.body = std::make_shared<const HttpBody>(boost::json::serialize(body));
  return post;
}

Verdict MatrixReceiver::judge(const HttpResponse& response) const {
  return judge_by_status(response.status);
}

Result<std::shared_ptr<const Receiver>> MatrixKind::parse(
    const boost::json::object& document) const {
  TRY(auto registration, parse_registration(document, limits_));
  return std::make_shared<const MatrixReceiver>(std::move(registration));
}

boost::json::object MatrixKind::draw_secrets(boost::json::object& document,
                                             const DrawBytes& draw) const {
  boost::json::object drawn;
  for (const std::string_view key : {"as_token", "hs_token"}) {
    if (document.contains(key)) continue;
    std::string token = fmt::format("postrider_{}_", key.substr(0, 2));
    for (const char byte : draw()) token += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    document[key] = token;
    drawn[key] = token;
  }
  return drawn;
}

}  // namespace postrider
