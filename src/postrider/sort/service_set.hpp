#pragma once

#include <span>
#include <vector>

#include "postrider/base/strong.hpp"

namespace postrider {

/// Rising, without repetition.
using ServiceSet = std::vector<ServiceKey>;

/// Adds `services`, which are rising and without repetition too, to `set`.
void add_services(ServiceSet& set, std::span<const ServiceKey> services);

}  // namespace postrider
