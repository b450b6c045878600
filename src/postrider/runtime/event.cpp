#include "postrider/runtime/event.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postrider {
namespace asio = boost::asio;

void Event::notify_all() {
  std::list<Waiter> woken = std::move(waiters_);
  waiters_.clear();
  for (Waiter& waiter : woken) wake(waiter);
}

bool Event::notify_one() {
  if (waiters_.empty()) return false;
  Waiter woken = std::move(waiters_.front());
  waiters_.pop_front();
  wake(woken);
  return true;
}

void Event::wake(Waiter& waiter) {
  if (waiter.timer) runtime_.cancel(*waiter.timer);
  waiter.resume(Wake::notified);
}

void Event::add_waiter(std::move_only_function<void(Wake)> resume,
                       std::optional<MonoTime> deadline) {
  const auto waiter = waiters_.insert(waiters_.end(), {std::move(resume), std::nullopt});
  if (!deadline) return;
  waiter->timer = runtime_.call_at(*deadline, [this, waiter] {
    auto expired = std::move(waiter->resume);
    waiters_.erase(waiter);
    expired(Wake::timed_out);
  });
}

Async<void> Event::wait() {
  auto start = [this](auto handler) {
    add_waiter([executor = runtime_.executor(), handler = std::move(handler)](
                   Wake) mutable { asio::post(executor, std::move(handler)); },
               std::nullopt);
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
}

Async<Wake> Event::wait_until(MonoTime deadline) {
  auto wake = Wake::notified;
  auto start = [this, &wake, deadline](auto handler) {
    add_waiter(
        [executor = runtime_.executor(), &wake, handler = std::move(handler)](Wake why) mutable {
          wake = why;
          asio::post(executor, std::move(handler));
        },
        deadline);
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
  co_return wake;
}

}  // namespace postrider
