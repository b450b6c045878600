#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "postrider/matrix/namespaces.hpp"
#include "postrider/sort/interest_policy.hpp"
#include "postrider/sort/pattern_index.hpp"
#include "postrider/sort/type_interest.hpp"

namespace postrider {

/// What an application service asks for.
class MatrixInterest final : public Interest {
 public:
  /// Patterns have passed `check_pattern`.
  MatrixInterest(std::string sender_localpart, Namespaces namespaces)
      : sender_localpart_(std::move(sender_localpart)), namespaces_(std::move(namespaces)) {}

  [[nodiscard]] bool equals(const Interest& other) const override;
  [[nodiscard]] const std::string& sender_localpart() const { return sender_localpart_; }
  [[nodiscard]] const Namespaces& namespaces() const { return namespaces_; }

 private:
  std::string sender_localpart_;
  Namespaces namespaces_;
};

/// The namespaces and own users of all application services, and the types that others ask for.
class MatrixRules final : public InterestRules {
 public:
  /// `server_name` empty: a sender_localpart means that user of any server, and every user is
  /// local. `previous` may be null.
  MatrixRules(std::vector<ServiceInterest> services, const MatrixRules* previous,
              std::string server_name,
              std::int64_t automaton_bytes = PatternIndex::automaton_bytes_max);

  /// By the `users` namespace or as the service's own sender. Like the others: nobody for an empty
  /// name.
  [[nodiscard]] ServiceSet users(std::string_view user_id) const;
  [[nodiscard]] ServiceSet rooms(std::string_view room_id) const;
  [[nodiscard]] ServiceSet aliases(std::string_view alias) const;

  /// Only a local user who is joined makes a room interesting (MSC3905).
  [[nodiscard]] bool is_local(std::string_view user_id) const;

  [[nodiscard]] const TypeIndex& types() const { return types_; }

 private:
  void add_senders(std::string_view user_id, ServiceSet& services) const;

  std::string server_name_;
  PatternIndex users_;
  PatternIndex rooms_;
  PatternIndex aliases_;
  TypeIndex types_;
  std::unordered_map<std::string, ServiceSet> by_sender_localpart_;
};

/// How interest is decided in streams of Matrix events: by sender, membership, room, and the users
/// and aliases of rooms, which it follows. Receivers of other kinds get events by their type.
class MatrixPolicy final : public InterestPolicy {
 public:
  /// `server_name`: as for `MatrixRules`.
  explicit MatrixPolicy(std::string server_name) : server_name_(std::move(server_name)) {}

  [[nodiscard]] std::shared_ptr<const InterestRules> compile(
      std::vector<ServiceInterest> services,
      const std::shared_ptr<const InterestRules>& previous) const override;
  [[nodiscard]] bool may_match(const Interest& interest, const std::string& stream) const override;
  [[nodiscard]] std::unique_ptr<StreamInterest> open(StreamKey stream,
                                                     const std::string& name) const override;

 private:
  std::string server_name_;
};

}  // namespace postrider
