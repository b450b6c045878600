#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "postrider/runtime/async.hpp"

namespace postrider {

/// Called once, from any thread, with the value that a coroutine waits for. Owns the coroutine:
/// destroyed without a call, it destroys that too.
template <class T>
using Reply = std::move_only_function<void(T)>;

/// Calls `start(Reply<T>)` and waits for the value, which may be there before `start` returns.
/// `start` must outlive the await, so it is a named object of the calling coroutine.
template <class T, class Start>
Async<T> await_reply(boost::asio::any_io_executor executor, Start& start) {
  std::optional<T> value;
  auto begin = [&executor, &start, &value](auto handler) {
    start([executor, &value, handler = std::move(handler)](T given) mutable {
      auto resume = [&value, given = std::move(given), handler = std::move(handler)]() mutable {
        value.emplace(std::move(given));
        std::move(handler)();
      };
      boost::asio::post(executor, std::move(resume));
    });
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      begin, boost::asio::use_awaitable);
  co_return *std::move(value);
}

}  // namespace postrider
