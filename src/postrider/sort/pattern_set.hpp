#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/sort/service_set.hpp"

namespace postrider {

/// Patterns of services for one kind of name, matched in one pass over the name. Patterns that
/// several services share are matched once. Immutable; any thread.
class PatternSet {
 public:
  struct Entry {
    std::string regex;  ///< in the syntax of RE2, which takes it
    ServiceKey service;
  };

  /// `memory_max` bounds what the automaton may grow to while it runs. Where that is too little
  /// for all patterns together they are matched one by one: as right, and slower.
  PatternSet(const std::vector<Entry>& entries, std::int64_t memory_max);
  ~PatternSet();

  /// Adds the services that have a pattern that matches `name` from its start, each once, in order.
  void match(std::string_view name, ServiceSet& services) const;

 private:
  struct Compiled;
  [[nodiscard]] std::vector<int> matching(std::string_view name) const;
  [[nodiscard]] std::vector<int> matching_one_by_one(std::string_view name) const;

  std::vector<std::string> patterns_;  ///< each once
  std::vector<ServiceSet> services_;   ///< of each pattern
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace postrider
