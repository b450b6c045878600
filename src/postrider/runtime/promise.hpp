#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "postrider/base/assert.hpp"
#include "postrider/runtime/async.hpp"
#include "postrider/runtime/runtime.hpp"

namespace postrider {

/// One value that one coroutine waits for and somebody else gives. One engine thread; must outlive
/// the wait.
template <class T>
class Promise {
 public:
  explicit Promise(Runtime& runtime) : runtime_(runtime) {}
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;
  ~Promise() = default;

  /// Once.
  void set(T value) {
    POSTRIDER_ASSERT(!value_, "a promise is kept once");
    value_.emplace(std::move(value));
    if (resume_) std::exchange(resume_, {})();
  }

  /// Once.
  Async<T> wait() {
    if (!value_) {
      auto start = [this](auto handler) {
        resume_ = [executor = runtime_.executor(), handler = std::move(handler)]() mutable {
          boost::asio::post(executor, std::move(handler));
        };
      };
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
          start, boost::asio::use_awaitable);
    }
    co_return *std::move(value_);
  }

 private:
  Runtime& runtime_;
  std::optional<T> value_;
  std::move_only_function<void()> resume_;
};

}  // namespace postrider
