#include "postrider/sort/pattern_index.hpp"

#include <algorithm>

#include "postrider/base/memory.hpp"

namespace postrider {
namespace {

// The services that changed are compiled anew at each change, and all services when too many have
// changed. Near the square root of all, n changes cost the least: n to the power of 1.5 compiled.
constexpr std::size_t changed_min = 64;

// Compiling takes several times the memory that is kept.
constexpr std::size_t many_entries = 1000;

bool are_few(std::size_t changed, std::size_t all) {
  return changed < changed_min || changed * changed < all;
}

using Entries = std::vector<PatternSet::Entry>;

void add_entries(const ServiceInterest& service, const PatternIndex::PatternsOf& patterns_of,
                 Entries& entries) {
  if (!service.interest) return;
  std::vector<std::string> patterns;
  patterns_of(*service.interest, patterns);
  for (std::string& pattern : patterns) entries.push_back({std::move(pattern), service.service});
}

}  // namespace

PatternIndex::PatternIndex(const std::vector<ServiceInterest>& services,
                           const PatternsOf& patterns_of, const PatternIndex* previous,
                           std::int64_t automaton_bytes) {
  Entries entries;
  if (previous != nullptr) {
    changed_ = changed_services(previous->base_->services, services);
    if (are_few(changed_.size(), services.size())) {
      base_ = previous->base_;
      for (const ServiceInterest& service : services) {
        if (!std::ranges::binary_search(changed_, service.service)) continue;
        add_entries(service, patterns_of, entries);
        ++compiled_services_;
      }
      recent_ = std::make_shared<const PatternSet>(entries, automaton_bytes);
      return;
    }
    changed_.clear();
  }
  for (const ServiceInterest& service : services) add_entries(service, patterns_of, entries);
  compiled_services_ = services.size();
  base_ = std::make_shared<const Base>(services, entries, automaton_bytes);
  if (entries.size() >= many_entries) return_freed_memory();
  recent_ = std::make_shared<const PatternSet>(Entries{}, automaton_bytes);
}

void PatternIndex::match(std::string_view name, ServiceSet& services) const {
  ServiceSet found;
  base_->patterns.match(name, found);
  std::erase_if(found, [this](ServiceKey service) {
    return !changed_.empty() && std::ranges::binary_search(changed_, service);
  });
  ServiceSet recent;
  recent_->match(name, recent);
  add_services(found, recent);
  add_services(services, found);
}

}  // namespace postrider
