#include "postrider/sort/service_set.hpp"

#include <algorithm>
#include <iterator>

namespace postrider {

void add_services(ServiceSet& set, std::span<const ServiceKey> services) {
  if (set.empty()) {
    set.assign(services.begin(), services.end());
    return;
  }
  // Mostly the services of a fact's room are those of its sender.
  if (std::ranges::includes(set, services)) return;
  ServiceSet both;
  both.reserve(set.size() + services.size());
  std::ranges::set_union(set, services, std::back_inserter(both));
  set = std::move(both);
}

ServiceSet common_services(const ServiceSet& set, const ServiceSet& services) {
  ServiceSet common;
  std::ranges::set_intersection(set, services, std::back_inserter(common));
  return common;
}

ServiceSet other_services(const ServiceSet& set, const ServiceSet& services) {
  ServiceSet others;
  std::ranges::set_difference(set, services, std::back_inserter(others));
  return others;
}

}  // namespace postrider
