#pragma once

#include "postrider/api/http/router.hpp"
#include "postrider/engine/engine.hpp"

namespace postrider {

/// What an operator sees of facts in quarantine, and does with them. References must outlive the
/// router.
void add_quarantine_routes(HttpRouter& router, Engine& engine);

}  // namespace postrider
