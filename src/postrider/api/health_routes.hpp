#pragma once

#include <functional>

#include "postrider/api/http/router.hpp"
#include "postrider/runtime/runtime.hpp"

namespace postrider {

/// How long the engine may take to say that it is there.
inline constexpr Duration health_wait = std::chrono::seconds{3};

/// `/healthz`: 200 when the engine's thread answers within `health_wait`, else 503. `/readyz`: the
/// same, and 503 while `is_ready`, which is called there, says no. `runtime` is the engine's, and
/// outlives the server.
void add_health_routes(HttpRouter& router, Runtime& runtime, std::function<bool()> is_ready);

}  // namespace postrider
