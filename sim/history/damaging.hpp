#pragma once

#include "sim/history/context.hpp"

namespace postrider::sim {

/// Alters one stored block, as a disk may do that lies, while no process runs. The facts in it are
/// remembered in `context.ledger`. Nothing happens when no block is stored that is whole.
Result<void> damage_a_block(Context& context, SqlConnection& connection, Random& random);

}  // namespace postrider::sim
