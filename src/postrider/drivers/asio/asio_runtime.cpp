#include "postrider/drivers/asio/asio_runtime.hpp"

#include <optional>
#include <random>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "postrider/base/assert.hpp"
#include "postrider/runtime/timer_queue.hpp"

namespace postrider {
namespace asio = boost::asio;

struct AsioRuntime::State {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  asio::steady_timer timer{io};
  TimerQueue timers;
  std::optional<MonoTime> armed_for;
  std::mt19937_64 random{std::random_device{}()};
};

AsioRuntime::AsioRuntime() : state_(std::make_unique<State>()) {}
AsioRuntime::~AsioRuntime() = default;

void AsioRuntime::run() {
  state_->io.run();
}
void AsioRuntime::stop() {
  state_->io.stop();
}

MonoTime AsioRuntime::now() const noexcept {
  return steady_now();
}

WallTime AsioRuntime::wall_now() const noexcept {
  return system_wall_now();
}

std::uint64_t AsioRuntime::random(std::uint64_t bound) {
  POSTRIDER_ASSERT(bound > 0, "random below nothing");
  return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(state_->random);
}

asio::any_io_executor AsioRuntime::executor() {
  return state_->io.get_executor();
}

Runtime::TimerId AsioRuntime::call_at(MonoTime when, std::move_only_function<void()> callback) {
  const TimerId id = state_->timers.add(when, std::move(callback));
  arm();
  return id;
}

bool AsioRuntime::cancel(TimerId timer) {
  return state_->timers.cancel(timer);
}

void AsioRuntime::arm() {
  const auto next = state_->timers.next();
  if (!next || (state_->armed_for && *state_->armed_for <= *next)) return;
  state_->armed_for = next;
  state_->timer.expires_at(std::chrono::steady_clock::time_point{
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(next->time_since_epoch())});
  state_->timer.async_wait([this](boost::system::error_code error) {
    if (error) return;  // re-armed for an earlier time
    state_->armed_for.reset();
    fire_due();
  });
}

void AsioRuntime::fire_due() {
  const MonoTime due = now();
  while (auto callback = state_->timers.take_due(due)) callback();
  arm();
}

MonoTime steady_now() {
  return MonoTime{std::chrono::steady_clock::now().time_since_epoch()};
}

WallTime system_wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace postrider
