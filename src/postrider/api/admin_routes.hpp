#pragma once

#include "postrider/api/http/router.hpp"
#include "postrider/engine/engine.hpp"
#include "postrider/runtime/address_policy.hpp"

namespace postrider {

/// What operators use: services and metrics. `engine` outlives the server. `policy`: a service
/// whose URL names an address that may not be connected to is refused at once.
void add_admin_routes(HttpRouter& router, Engine& engine, AddressPolicy policy);

}  // namespace postrider
