#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postrider/sort/interest_memo.hpp"
#include "postrider/sort/interest_policy.hpp"
#include "postrider/sort/pattern_index.hpp"

namespace postrider {

/// Asks for facts by their type and by the stream they are in, each a list of globs of which one
/// must match.
class TypeInterest final : public Interest {
 public:
  /// Globs have passed `check_glob`.
  TypeInterest(std::vector<std::string> types, std::vector<std::string> streams)
      : types_(std::move(types)), streams_(std::move(streams)) {}

  [[nodiscard]] bool equals(const Interest& other) const override;
  [[nodiscard]] const std::vector<std::string>& types() const { return types_; }
  [[nodiscard]] const std::vector<std::string>& streams() const { return streams_; }

 private:
  std::vector<std::string> types_;
  std::vector<std::string> streams_;
};

/// Whether it is a `TypeInterest` that asks for facts of the stream.
bool asks_for_stream(const Interest& interest, const std::string& stream);

/// The types and streams that all services ask for. Immutable; any thread.
class TypeIndex {
 public:
  /// `services`: in order. `previous` may be null.
  TypeIndex(const std::vector<ServiceInterest>& services, const TypeIndex* previous);

  /// Services that ask for facts of the type, and for facts of the stream, in order.
  [[nodiscard]] ServiceSet of_type(std::string_view type) const;
  [[nodiscard]] ServiceSet of_stream(std::string_view name) const;

 private:
  PatternIndex types_;
  PatternIndex streams_;
};

/// Who asks for the facts of one stream by their type, remembered. One thread at a time.
class TypeMatcher {
 public:
  explicit TypeMatcher(std::string stream) : stream_(std::move(stream)) {}

  /// `index` lives until the next call.
  void adopt(const TypeIndex* index);
  /// Valid until the next call.
  const ServiceSet& services_of(std::string_view type);

 private:
  static constexpr std::size_t memo_bytes_max = 1U << 20;

  std::string stream_;
  const TypeIndex* index_ = nullptr;
  ServiceSet of_stream_;
  InterestMemo seen_{memo_bytes_max};
};

/// Decides by type alone, and keeps no state: for formats whose schema has a text `type`.
class TypePolicy final : public InterestPolicy {
 public:
  /// `type_attribute`: the index of the type in the schema of the format.
  explicit TypePolicy(std::size_t type_attribute) : type_attribute_(type_attribute) {}

  [[nodiscard]] std::shared_ptr<const InterestRules> compile(
      std::vector<ServiceInterest> services,
      const std::shared_ptr<const InterestRules>& previous) const override;
  [[nodiscard]] bool may_match(const Interest& interest, const std::string& stream) const override;
  [[nodiscard]] std::unique_ptr<StreamInterest> open(StreamKey stream,
                                                     const std::string& name) const override;

 private:
  std::size_t type_attribute_;
};

}  // namespace postrider
