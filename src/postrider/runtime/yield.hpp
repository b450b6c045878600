#pragma once

#include "postrider/runtime/async.hpp"
#include "postrider/runtime/runtime.hpp"

namespace postrider {

/// Lets everything that waits for the engine thread run first.
Async<void> yield(Runtime& runtime);

}  // namespace postrider
