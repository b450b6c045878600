#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/strong.hpp"

namespace postrider {

/// All patterns of all services for one kind of name, matched in one pass over the name. Patterns
/// that several services share are matched once. One thread.
class PatternSet {
 public:
  struct Entry {
    std::string_view regex;  ///< `check_pattern` took it
    ServiceKey service;
  };

  /// `memory_max` bounds what the automaton may grow to while it runs. Where that is too little
  /// for all patterns together they are matched one by one: as right, and slower.
  PatternSet(std::span<const Entry> entries, std::int64_t memory_max);
  ~PatternSet();

  /// Adds the services that have a pattern that matches `name` from its start, each once, in order.
  void match(std::string_view name, std::vector<ServiceKey>& services) const;

 private:
  struct Compiled;
  [[nodiscard]] std::vector<int> matching(std::string_view name) const;
  [[nodiscard]] std::vector<int> matching_one_by_one(std::string_view name) const;

  std::vector<std::string> patterns_;              ///< as RE2 writes them, each once
  std::vector<std::vector<ServiceKey>> services_;  ///< of each pattern, in order
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace postrider
