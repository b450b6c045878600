#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postrider/sort/interest_memo.hpp"
#include "postrider/sort/namespaces.hpp"
#include "postrider/sort/service_set.hpp"

namespace postrider {

class PatternSet;

/// Which services a user, a room or an alias is of interest to: one automaton for each of the
/// three over the patterns of all services, so that a name costs one pass however many there are.
/// Never changes; remembers its answers. One thread at a time.
class InterestIndex {
 public:
  static constexpr std::int64_t automaton_bytes_max = 256LL << 20;
  static constexpr std::size_t memo_bytes_max = 16U << 20;

  /// `server_name` empty: a sender_localpart means that user of any server, and every user is
  /// local. Patterns have passed `check_pattern`. When an automaton outgrows `automaton_bytes`,
  /// matching falls back to one pattern after the other, slower but the same.
  InterestIndex(const std::vector<ServiceInterest>& services, std::string server_name,
                std::int64_t automaton_bytes = automaton_bytes_max);
  ~InterestIndex();

  /// By the `users` namespace or as the service's own sender. Like the others: of no interest to
  /// any service when empty, and valid until the next call.
  const ServiceSet& users(std::string_view user_id);
  const ServiceSet& rooms(std::string_view room_id);
  const ServiceSet& aliases(std::string_view alias);

  /// Only a local user who is joined makes a room interesting (MSC3905).
  [[nodiscard]] bool is_local(std::string_view user_id) const;

 private:
  void add_senders(std::string_view user_id, ServiceSet& services) const;

  std::string server_name_;
  std::unique_ptr<PatternSet> users_;
  std::unique_ptr<PatternSet> rooms_;
  std::unique_ptr<PatternSet> aliases_;
  std::unordered_map<std::string, ServiceSet> by_sender_localpart_;
  InterestMemo users_seen_{memo_bytes_max};
  InterestMemo rooms_seen_{memo_bytes_max};
  InterestMemo aliases_seen_{memo_bytes_max};
};

}  // namespace postrider
