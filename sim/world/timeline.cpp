#include "sim/world/timeline.hpp"

#include <utility>

#include "sim/world/virtual_runtime.hpp"

namespace postrider::sim {
namespace {

// Any fixed moment; wall time runs along with virtual time from here.
constexpr std::int64_t epoch_unix_ms = 1'700'000'000'000;

}  // namespace

WallTime Timeline::wall_now() const {
  const Duration since_epoch = now_.time_since_epoch() + wall_offset_;
  return wall_time(epoch_unix_ms) +
         std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch);
}

bool Timeline::run_ready() {
  std::size_t count = 0;
  for (const VirtualRuntime* runtime : runtimes_) {
    if (!runtime->paused_) count += runtime->ready_.size();
  }
  if (count == 0) return false;
  std::size_t chosen = order_ ? order_->below(count) : 0;
  order_hash_ = (order_hash_ * 31 + count) * 31 + chosen;
  for (VirtualRuntime* runtime : runtimes_) {
    if (runtime->paused_) continue;
    if (chosen >= runtime->ready_.size()) {
      chosen -= runtime->ready_.size();
      continue;
    }
    const auto place = runtime->ready_.begin() + static_cast<std::ptrdiff_t>(chosen);
    VirtualRuntime::Task task = std::move(*place);
    runtime->ready_.erase(place);
    task();
    return true;
  }
  std::unreachable();
}

VirtualRuntime* Timeline::next_timer(MonoTime end) const {
  VirtualRuntime* earliest = nullptr;
  for (VirtualRuntime* runtime : runtimes_) {
    const auto next = runtime->timers_.next();
    if (runtime->paused_ || !next || *next > end) continue;
    if (earliest == nullptr || *next < *earliest->timers_.next()) earliest = runtime;
  }
  return earliest;
}

bool Timeline::step(MonoTime end) {
  ++steps_;
  if (run_ready()) return true;
  VirtualRuntime* const runtime = next_timer(end);
  if (runtime == nullptr) return false;
  now_ = std::max(now_, *runtime->timers_.next());
  auto callback = runtime->timers_.take_due(now_);
  callback();
  return true;
}

bool Timeline::run_until(const std::function<bool()>& condition, Duration limit) {
  const MonoTime end = now_ + limit;
  while (!condition()) {
    if (!step(end)) return condition();
  }
  return true;
}

void Timeline::run_for(Duration duration) {
  const MonoTime end = now_ + duration;
  while (step(end)) {
  }
  now_ = std::max(now_, end);
}

}  // namespace postrider::sim
