#include "postrider/sort/interest_memo.hpp"

#include <utility>

namespace postrider {
namespace {

// A node of either container with what the allocator adds, about.
constexpr std::size_t node_bytes = 96;

}  // namespace

const ServiceSet* InterestMemo::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const ServiceSet& InterestMemo::add(std::string_view name, ServiceSet services) {
  if (bytes_ > bytes_max_) {
    by_name_.clear();
    sets_.clear();
    bytes_ = 0;
  }
  const auto [set, is_new] = sets_.insert(std::move(services));
  if (is_new) bytes_ += node_bytes + set->capacity() * sizeof(ServiceKey);
  by_name_.emplace(name, &*set);
  bytes_ += node_bytes + name.size();
  return *set;
}

}  // namespace postrider
