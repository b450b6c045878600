#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "postrider/runtime/async.hpp"
#include "postrider/runtime/runtime.hpp"

namespace postrider {

/// Runs a coroutine on the engine thread for a handler that runs on a connection's executor, and
/// resumes the handler where it was.
template <class T>
Async<T> on_engine(Runtime& runtime, Async<T> call) {
  co_return co_await boost::asio::co_spawn(runtime.executor(), std::move(call),
                                           boost::asio::use_awaitable);
}

}  // namespace postrider
