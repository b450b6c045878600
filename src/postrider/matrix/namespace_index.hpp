#pragma once

#include <memory>
#include <string_view>

#include "postrider/matrix/matrix_interest.hpp"
#include "postrider/sort/interest_memo.hpp"

namespace postrider {

/// Which services a user, a room or an alias is of interest to, by one set of rules. Remembers its
/// answers, since names repeat. One thread at a time.
class NamespaceIndex {
 public:
  static constexpr std::size_t memo_bytes_max = 16U << 20;

  explicit NamespaceIndex(std::shared_ptr<const MatrixRules> rules) : rules_(std::move(rules)) {}

  /// As of the rules. Valid until the next call.
  const ServiceSet& users(std::string_view user_id);
  const ServiceSet& rooms(std::string_view room_id);
  const ServiceSet& aliases(std::string_view alias);
  [[nodiscard]] bool is_local(std::string_view user_id) const { return rules_->is_local(user_id); }

  [[nodiscard]] const MatrixRules& rules() const { return *rules_; }

 private:
  std::shared_ptr<const MatrixRules> rules_;
  InterestMemo users_seen_{memo_bytes_max};
  InterestMemo rooms_seen_{memo_bytes_max};
  InterestMemo aliases_seen_{memo_bytes_max};
};

}  // namespace postrider
