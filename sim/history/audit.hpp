#pragma once

#include "sim/history/context.hpp"

namespace postrider::sim {

/// What lies on the disk while no process runs that delivers: whole, fitting together, and holding
/// what was answered. Settles every doubt about what happened at the end of the last process. Fails
/// when the disk cannot be read.
Result<void> audit(Context& context, SqlConnection& connection);
/// The same over a connection of its own. It is a fault when the disk cannot be read.
void audit_disk(Context& context);

}  // namespace postrider::sim
