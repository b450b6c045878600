#pragma once

#include <span>
#include <vector>

#include "postrider/base/strong.hpp"

namespace postrider {

/// Rising, without repetition.
using ServiceSet = std::vector<ServiceKey>;

/// Adds `services`, which are rising and without repetition too, to `set`.
void add_services(ServiceSet& set, std::span<const ServiceKey> services);

/// Those of `set` that are in `services`, and those that are not.
ServiceSet common_services(const ServiceSet& set, const ServiceSet& services);
ServiceSet other_services(const ServiceSet& set, const ServiceSet& services);

}  // namespace postrider
