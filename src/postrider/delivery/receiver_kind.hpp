#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "postrider/base/result.hpp"
#include "postrider/delivery/receiver.hpp"

namespace postrider {

/// Draws a secret that cannot be guessed: 24 random bytes.
using DrawBytes = std::function<std::string()>;

/// One way of speaking to receivers: reads their documents. Immutable; any thread.
class ReceiverKind {
 public:
  ReceiverKind() = default;
  ReceiverKind(const ReceiverKind&) = delete;
  ReceiverKind& operator=(const ReceiverKind&) = delete;
  virtual ~ReceiverKind() = default;

  /// The word that documents, the API and the database use.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Fails with `invalid_argument` and every mistake at its JSON pointer.
  [[nodiscard]] virtual Result<std::shared_ptr<const Receiver>> parse(
      const boost::json::object& document) const = 0;

  /// The members of a document that keep their value when a change leaves them out.
  [[nodiscard]] virtual std::vector<std::string_view> secret_members() const = 0;

  /// Adds the secrets that a document leaves to the server, and gives them back to be shown once.
  virtual boost::json::object draw_secrets(boost::json::object& document,
                                           const DrawBytes& draw) const = 0;
};

/// The kinds that this server knows. Immutable; any thread.
class ReceiverKinds {
 public:
  /// The first one is meant where a document names no kind.
  explicit ReceiverKinds(std::vector<std::unique_ptr<const ReceiverKind>> kinds);

  /// By the member `kind` of a document. Errors: `invalid_argument`.
  [[nodiscard]] Result<const ReceiverKind*> of(const boost::json::value& document) const;
  [[nodiscard]] Result<std::shared_ptr<const Receiver>> parse(
      const boost::json::value& document) const;
  /// What was stored. `kind` empty: it was stored before there were kinds. Errors:
  /// `storage_failed`, `storage_incompatible`.
  [[nodiscard]] Result<std::shared_ptr<const Receiver>> parse_stored(
      std::string_view id, std::string_view kind, const std::string& document) const;

 private:
  [[nodiscard]] const ReceiverKind* find(std::string_view name) const;

  std::vector<std::unique_ptr<const ReceiverKind>> kinds_;
};

}  // namespace postrider
