#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "postrider/runtime/async.hpp"

namespace postrider {

/// A thread for blocking work (one database connection lives on each). Jobs run one after the
/// other in the order they were posted.
class Lane {
 public:
  Lane() = default;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  virtual ~Lane() = default;

  /// Runs `work` on the lane, then `done` on the engine's executor. Called on the engine thread.
  virtual void post(std::move_only_function<void()> work, std::move_only_function<void()> done) = 0;
};

/// Runs `work()` on the lane and gives back what it returned. `work` must outlive the await, so
/// it is a named object of the calling coroutine.
template <class Work>
Async<std::invoke_result_t<Work&>> run_on(Lane& lane, Work& work) {
  using Value = std::invoke_result_t<Work&>;
  std::optional<Value> value;
  auto start = [&lane, &work, &value](auto handler) {
    lane.post([&work, &value] { value.emplace(work()); },
              [handler = std::move(handler)]() mutable { std::move(handler)(); });
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      start, boost::asio::use_awaitable);
  co_return *std::move(value);
}

}  // namespace postrider
