#include "postrider/sort/interest.hpp"

#include <algorithm>
#include <iterator>

namespace postrider {

ServiceSet changed_services(const std::vector<ServiceInterest>& before,
                            const std::vector<ServiceInterest>& after) {
  const auto in_order = [](const ServiceInterest& a, const ServiceInterest& b) {
    return a.service != b.service ? a.service < b.service : a.interest < b.interest;
  };
  std::vector<ServiceInterest> different;
  std::ranges::set_symmetric_difference(before, after, std::back_inserter(different), in_order);
  ServiceSet changed;
  for (const ServiceInterest& each : different) {
    if (changed.empty() || changed.back() != each.service) changed.push_back(each.service);
  }
  return changed;
}

}  // namespace postrider
