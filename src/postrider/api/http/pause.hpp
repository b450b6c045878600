#pragma once

#include "postrider/base/time.hpp"
#include "postrider/runtime/async.hpp"

namespace postrider {

/// Suspends a handler on the server's executor.
Async<void> pause(Duration duration);

}  // namespace postrider
