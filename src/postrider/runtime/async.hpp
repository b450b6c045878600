#pragma once

#include <boost/asio/awaitable.hpp>

namespace postrider {

/// The one coroutine type. The engine knows nothing else of Asio. A coroutine takes its parameters
/// by value, or by reference to an object that outlives it.
template <class T>
using Async = boost::asio::awaitable<T>;

}  // namespace postrider
