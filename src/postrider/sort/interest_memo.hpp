#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "postrider/sort/service_set.hpp"

namespace postrider {

/// Remembers the services of names that were asked for, since senders and rooms repeat. Forgets
/// all of them when they take more than `bytes_max`.
class InterestMemo {
 public:
  explicit InterestMemo(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Null when the name is not remembered.
  [[nodiscard]] const ServiceSet* find(std::string_view name) const;
  /// `name` is not remembered yet. What it returns lives until the next `add`.
  const ServiceSet& add(std::string_view name, ServiceSet services);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::set<ServiceSet> sets_;  ///< few, however many names there are
  std::unordered_map<std::string, const ServiceSet*, Hash, std::equal_to<>> by_name_;
};

}  // namespace postrider
