#pragma once

#include "sim/history/context.hpp"

namespace postrider::sim {

/// At the end: whether every service got what it had to get by the rules, in order, and nothing
/// else.
void examine_deliveries(Context& context);

}  // namespace postrider::sim
