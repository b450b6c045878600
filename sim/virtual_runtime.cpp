#include "sim/virtual_runtime.hpp"

#include <boost/asio/post.hpp>

namespace postrider::sim {
namespace {

// Any fixed moment; wall time runs along with virtual time from here.
constexpr std::int64_t epoch_unix_ms = 1'700'000'000'000;

}  // namespace

WallTime VirtualRuntime::wall_now() const noexcept {
  return wall_time(epoch_unix_ms) +
         std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
}

Runtime::TimerId VirtualRuntime::call_at(MonoTime when, std::move_only_function<void()> callback) {
  return timers_.add(when, std::move(callback));
}

bool VirtualRuntime::run_until(const std::function<bool()>& condition, Duration limit) {
  const MonoTime end = now_ + limit;
  while (!condition()) {
    if (!step(end)) return condition();
  }
  return true;
}

void VirtualRuntime::run_for(Duration duration) {
  const MonoTime end = now_ + duration;
  while (step(end)) {
  }
  now_ = end;
}

bool VirtualRuntime::step(MonoTime end) {
  io_.restart();
  if (io_.poll_one() > 0) return true;
  const auto next = timers_.next();
  if (!next || *next > end) return false;
  now_ = std::max(now_, *next);
  while (auto callback = timers_.take_due(now_)) callback();
  return true;
}

void InlineLane::post(std::move_only_function<void()> work, std::move_only_function<void()> done) {
  boost::asio::post(runtime_.executor(),
                    [work = std::move(work), done = std::move(done)]() mutable {
                      work();
                      done();
                    });
}

}  // namespace postrider::sim
