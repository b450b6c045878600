#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "postrider/base/strong.hpp"
#include "postrider/base/time.hpp"
#include "postrider/delivery/delivery_policy.hpp"
#include "postrider/runtime/http_client.hpp"
#include "postrider/sort/interest.hpp"

namespace postrider {

/// What a receiver is to be sent. Views live until the request is composed.
struct OutgoingTransaction {
  std::string_view id = {};      ///< the same for every attempt, and never used again
  std::string_view stream = {};  ///< that `first` is in
  StreamId first = {};
  StreamId last = {};
  std::span<const std::string_view> payloads = {};  ///< JSON objects, as they were appended
  std::shared_ptr<const void> payload_owner = {};   ///< keeps their bytes, beyond the composing
  WallTime attempted_at{};
};

/// What an answer means.
enum class Verdict {
  delivered,  ///< the receiver has the transaction
  retry,      ///< it is DOWN, and is tried again later
  split,      ///< the transaction is too large for it: its first half is sent instead
  stop,       ///< it wants nothing more: delivery rests until an operator resumes it
};

/// 2xx is delivered, everything else is tried again.
Verdict judge_by_status(int status);

enum class Secrets { show, hide };

/// A secret of a document that no other service of the kind may have.
struct UniqueSecret {
  std::string pointer;  ///< where it is in the document
  std::string value;
};

/// A document that its kind has read and found right: who is delivered to, what it wants, and how
/// it is spoken to. Immutable; any thread.
class Receiver {
 public:
  explicit Receiver(std::string id) : id_(std::move(id)) {}
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  virtual ~Receiver() = default;

  [[nodiscard]] const std::string& id() const { return id_; }
  /// The name of its kind.
  [[nodiscard]] virtual std::string_view kind() const = 0;
  /// Where it takes requests; empty when nothing is pushed to it.
  [[nodiscard]] virtual const std::optional<std::string>& url() const = 0;
  /// Reading the document with its secrets gives the same receiver.
  [[nodiscard]] virtual boost::json::object document(Secrets secrets) const = 0;
  [[nodiscard]] virtual std::vector<UniqueSecret> unique_secrets() const { return {}; }
  /// Every text that it knows or is sent, and nobody else may see. They are taken out of what is
  /// kept of answers.
  [[nodiscard]] virtual std::vector<std::string> secrets() const = 0;
  [[nodiscard]] virtual std::shared_ptr<const Interest> interest() const = 0;
  /// What is right and yet hardly meant, for whoever registers it.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
  /// What the document says of delivery, and `defaults` where it says nothing.
  [[nodiscard]] virtual DeliveryPolicy policy(const DeliveryPolicy& defaults) const {
    return defaults;
  }

  /// Called when there is a URL. The body depends on nothing but the transaction without its time,
  /// so that every attempt sends the same one.
  [[nodiscard]] virtual HttpRequest compose(const OutgoingTransaction& transaction) const = 0;
  /// A request that carries nothing and shows whether the receiver answers.
  [[nodiscard]] virtual HttpRequest compose_ping(std::string_view id, WallTime now) const = 0;
  [[nodiscard]] virtual Verdict judge(const HttpResponse& response) const = 0;

 private:
  std::string id_;
};

}  // namespace postrider
