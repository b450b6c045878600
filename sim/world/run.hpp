#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "postrider/base/assert.hpp"
#include "postrider/runtime/async.hpp"
#include "sim/world/virtual_runtime.hpp"

namespace postrider::sim {

/// Runs the coroutine to its end, and everything else meanwhile. Ends the process when it throws
/// or can go no further.
template <class T>
T run(VirtualRuntime& runtime, Async<T> task) {
  std::optional<T> value;
  boost::asio::co_spawn(runtime.executor(), std::move(task),
                        [&value](const std::exception_ptr& error, T result) {
                          POSTRIDER_ASSERT(!error, "a coroutine threw");
                          value.emplace(std::move(result));
                        });
  POSTRIDER_ASSERT(runtime.run_until([&value] { return value.has_value(); }),
                   "a coroutine waits for what never comes");
  return *std::move(value);
}

inline void run(VirtualRuntime& runtime, Async<void> task) {
  bool done = false;
  boost::asio::co_spawn(runtime.executor(), std::move(task),
                        [&done](const std::exception_ptr& error) {
                          POSTRIDER_ASSERT(!error, "a coroutine threw");
                          done = true;
                        });
  POSTRIDER_ASSERT(runtime.run_until([&done] { return done; }),
                   "a coroutine waits for what never comes");
}

}  // namespace postrider::sim
