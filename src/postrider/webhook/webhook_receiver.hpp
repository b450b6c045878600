#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postrider/delivery/receiver_kind.hpp"
#include "postrider/webhook/signature.hpp"

namespace postrider {

/// Stands for the value of a header where secrets are hidden.
inline constexpr std::string_view hidden_value = "(hidden)";

/// What the document of a webhook says.
struct WebhookDocument {
  std::string id;
  std::optional<std::string> url;
  std::vector<std::string> types = {"*"};    ///< globs
  std::vector<std::string> streams = {"*"};  ///< globs
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::size_t> acknowledge_behind = {};  ///< empty: as the configuration says
  WebhookSecret secret;
};

/// A receiver of HTTP POST requests. A body holds facts of one stream:
///   {"id":"…","stream":"…","first":1,"last":9,"facts":[…]}
/// `first` and `last` are the positions of its first and last fact; facts that the receiver does
/// not want are left out in between. `id` is that of the transaction, as in the header
/// `webhook-id`. Source of the headers: Standard Webhooks.
class WebhookReceiver final : public Receiver {
 public:
  explicit WebhookReceiver(WebhookDocument document);

  [[nodiscard]] std::string_view kind() const override { return "webhook"; }
  [[nodiscard]] const std::optional<std::string>& url() const override { return document_.url; }
  [[nodiscard]] boost::json::object document(Secrets secrets) const override;
  [[nodiscard]] std::vector<std::string> secrets() const override;
  [[nodiscard]] std::shared_ptr<const Interest> interest() const override;
  [[nodiscard]] DeliveryPolicy policy(const DeliveryPolicy& defaults) const override;
  [[nodiscard]] HttpRequest compose(const OutgoingTransaction& transaction) const override;
  /// A signed transaction of no facts, of no stream.
  [[nodiscard]] HttpRequest compose_ping(std::string_view id, WallTime now) const override;
  /// 410 stops and 413 splits.
  [[nodiscard]] Verdict judge(const HttpResponse& response) const override;

 private:
  [[nodiscard]] HttpRequest request(std::string_view id, WallTime now,
                                    std::shared_ptr<const HttpBody> body) const;

  WebhookDocument document_;
};

/// Reads the documents of webhooks.
class WebhookKind final : public ReceiverKind {
 public:
  static constexpr std::size_t globs_max = 1000;
  static constexpr std::size_t globs_bytes_max = 64 * 1024;  ///< of all of `types`, or `streams`
  static constexpr std::size_t headers_max = 50;
  static constexpr std::size_t header_bytes_max = 4096;

  [[nodiscard]] std::string_view name() const override { return "webhook"; }
  [[nodiscard]] Result<std::shared_ptr<const Receiver>> parse(
      const boost::json::object& document) const override;
  [[nodiscard]] std::vector<std::string_view> secret_members() const override { return {"secret"}; }
  boost::json::object draw_secrets(boost::json::object& document,
                                   const DrawBytes& draw) const override;
};

}  // namespace postrider
