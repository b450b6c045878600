#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/sort/interest.hpp"
#include "postrider/sort/pattern_set.hpp"

namespace postrider {

/// The patterns of all services for one kind of name. One automaton holds most of them; the few
/// services that changed since it was compiled have one of their own, so that a change costs what
/// it changes. Immutable; any thread.
class PatternIndex {
 public:
  static constexpr std::int64_t automaton_bytes_max = 256LL << 20;

  /// Adds the patterns of one service, in the syntax of RE2.
  using PatternsOf = std::function<void(const Interest& interest, std::vector<std::string>& to)>;

  /// `services`: in order. `previous` was made with the same `patterns_of`, or is null. When an
  /// automaton outgrows `automaton_bytes`, patterns are matched one after the other, which is
  /// slower and gives the same.
  PatternIndex(const std::vector<ServiceInterest>& services, const PatternsOf& patterns_of,
               const PatternIndex* previous, std::int64_t automaton_bytes = automaton_bytes_max);

  /// Adds the services that have a pattern that matches `name` from its start, in order.
  void match(std::string_view name, ServiceSet& services) const;

  /// How many services the last change compiled.
  [[nodiscard]] std::size_t compiled_services() const { return compiled_services_; }

 private:
  struct Base {
    Base(const std::vector<ServiceInterest>& all, const std::vector<PatternSet::Entry>& entries,
         std::int64_t automaton_bytes)
        : services(all), patterns(entries, automaton_bytes) {}

    std::vector<ServiceInterest> services;
    PatternSet patterns;
  };
  std::shared_ptr<const Base> base_;
  std::shared_ptr<const PatternSet> recent_;  ///< of the services that changed since
  ServiceSet changed_;                        ///< whose patterns in `base_` no longer count
  std::size_t compiled_services_ = 0;
};

}  // namespace postrider
