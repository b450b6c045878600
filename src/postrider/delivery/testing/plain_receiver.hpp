#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postrider/delivery/document_reader.hpp"
#include "postrider/delivery/receiver_kind.hpp"
#include "postrider/sort/type_interest.hpp"

namespace postrider {

struct PlainDocument {
  std::string id;
  std::optional<std::string> url;
  std::string secret;
  std::vector<std::string> types = {"*"};
};

/// A kind for tests: facts joined by commas, put under the transaction's ID. 410 stops, 413 splits.
class PlainReceiver final : public Receiver {
 public:
  explicit PlainReceiver(PlainDocument document, std::string_view kind = "plain")
      : Receiver(document.id), plain_(std::move(document)), kind_(kind) {}

  [[nodiscard]] std::string_view kind() const override { return kind_; }
  [[nodiscard]] const std::optional<std::string>& url() const override { return plain_.url; }
  [[nodiscard]] boost::json::object document(Secrets) const override {
    boost::json::object document = {{"id", plain_.id}, {"secret", plain_.secret}};
    if (plain_.url) document["url"] = *plain_.url;
    boost::json::array types;
    for (const std::string& type : plain_.types) types.emplace_back(type);
    document["types"] = std::move(types);
    return document;
  }
  [[nodiscard]] std::vector<UniqueSecret> unique_secrets() const override {
    return {{"/secret", plain_.secret}};
  }
  [[nodiscard]] std::vector<std::string> secrets() const override { return {plain_.secret}; }
  [[nodiscard]] std::shared_ptr<const Interest> interest() const override {
    return std::make_shared<const TypeInterest>(plain_.types, std::vector<std::string>{"*"});
  }
  [[nodiscard]] HttpRequest compose(const OutgoingTransaction& transaction) const override {
    HttpRequest request = compose_ping(transaction.id, transaction.attempted_at);
    std::string body;
    for (const std::string_view payload : transaction.payloads) {
      body += body.empty() ? "" : ",";
      body += payload;
    }
    request.body = std::make_shared<const HttpBody>(std::move(body));
    return request;
  }
  [[nodiscard]] HttpRequest compose_ping(std::string_view id, WallTime) const override {
    HttpRequest request;
    request.method = "PUT";
    request.url = *plain_.url + "/" + std::string(id);
    return request;
  }
  [[nodiscard]] Verdict judge(const HttpResponse& response) const override {
    if (response.status == 410) return Verdict::stop;
    if (response.status == 413) return Verdict::split;
    return judge_by_status(response.status);
  }

 private:
  PlainDocument plain_;
  std::string_view kind_;
};

class PlainKind final : public ReceiverKind {
 public:
  [[nodiscard]] std::string_view name() const override { return "plain"; }
  [[nodiscard]] Result<std::shared_ptr<const Receiver>> parse(
      const boost::json::object& document) const override {
    DocumentReader reader(document);
    PlainDocument plain;
    plain.id = reader.id();
    plain.secret = reader.secret("secret", 100);
    if (const auto* url = reader.find("url")) plain.url = std::string(url->as_string());
    plain.types.clear();
    for (const auto& type : document.at("types").as_array()) {
      plain.types.emplace_back(type.as_string());
    }
    if (reader.has_mistakes()) return std::unexpected(std::move(reader).error("plain document"));
    return std::make_shared<const PlainReceiver>(std::move(plain));
  }
  [[nodiscard]] std::vector<std::string_view> secret_members() const override { return {}; }
  boost::json::object draw_secrets(boost::json::object&, const DrawBytes&) const override {
    return {};
  }
};

}  // namespace postrider
