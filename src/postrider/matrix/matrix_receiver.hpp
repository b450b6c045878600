#pragma once

#include <optional>
#include <string>

#include "postrider/delivery/receiver_kind.hpp"
#include "postrider/matrix/registration.hpp"

namespace postrider {

/// An application service. Pushes facts by `PUT /_matrix/app/v1/transactions/{txnId}` with the
/// body {"events":[…]}.
/// Source: Matrix Application Service API, "Pushing events", and its authorization header.
class MatrixReceiver final : public Receiver {
 public:
  explicit MatrixReceiver(Registration registration);

  [[nodiscard]] std::string_view kind() const override { return "matrix"; }
  [[nodiscard]] const std::optional<std::string>& url() const override { return registration_.url; }
  [[nodiscard]] boost::json::object document(Secrets secrets) const override;
  [[nodiscard]] std::vector<UniqueSecret> unique_secrets() const override;
  [[nodiscard]] std::vector<std::string> secrets() const override;
  [[nodiscard]] std::shared_ptr<const Interest> interest() const override;
  [[nodiscard]] std::vector<std::string> warnings() const override;
  [[nodiscard]] HttpRequest compose(const OutgoingTransaction& transaction) const override;
  /// `POST /_matrix/app/v1/ping`.
  [[nodiscard]] HttpRequest compose_ping(std::string_view id, WallTime now) const override;
  [[nodiscard]] Verdict judge(const HttpResponse& response) const override;

  [[nodiscard]] const Registration& registration() const { return registration_; }

 private:
  [[nodiscard]] HttpRequest request(std::string method, const std::string& path) const;

  Registration registration_;
};

/// Reads registrations of application services.
class MatrixKind final : public ReceiverKind {
 public:
  explicit MatrixKind(RegistrationLimits limits) : limits_(limits) {}

  [[nodiscard]] std::string_view name() const override { return "matrix"; }
  [[nodiscard]] Result<std::shared_ptr<const Receiver>> parse(
      const boost::json::object& document) const override;
  [[nodiscard]] std::vector<std::string_view> secret_members() const override {
    return {"as_token", "hs_token"};
  }
  boost::json::object draw_secrets(boost::json::object& document,
                                   const DrawBytes& draw) const override;

 private:
  RegistrationLimits limits_;
};

}  // namespace postrider
