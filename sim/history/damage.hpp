#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "postrider/base/id_range.hpp"
#include "postrider/base/strong.hpp"

namespace postrider::sim {

/// Stored facts that were altered while no process ran, as they were before, and what the server
/// says of them.
class Damage {
 public:
  struct Fact {
    std::int64_t number = 0;
    std::string payload;
    bool was_decided = false;  ///< before it was altered
  };
  using Facts = std::map<std::int64_t, Fact>;  ///< by stream ID

  void add(const std::string& stream, StreamId id, Fact fact);
  /// What is in quarantine now, and up to where facts of the stream are dropped.
  void set_quarantine(const std::string& stream, std::vector<IdRange> ranges, StreamId dropped);

  /// How many facts there are.
  [[nodiscard]] std::int64_t count() const { return std::ssize(numbers_); }
  [[nodiscard]] bool is_damaged(std::int64_t number) const { return numbers_.contains(number); }
  /// Null when the fact was not altered.
  [[nodiscard]] const Fact* find(const std::string& stream, StreamId id) const;
  /// Whether a service may have missed the fact: it was altered, and the server says so.
  [[nodiscard]] bool excuses(const std::string& stream, StreamId id) const;

 private:
  struct Said {
    std::vector<IdRange> ranges;
    StreamId dropped;
  };
  std::map<std::string, Facts> facts_;
  std::set<std::int64_t> numbers_;
  std::map<std::string, Said> said_;
};

}  // namespace postrider::sim
