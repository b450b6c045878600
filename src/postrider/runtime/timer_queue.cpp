#include "postrider/runtime/timer_queue.hpp"

namespace postrider {

Runtime::TimerId TimerQueue::add(MonoTime when, std::move_only_function<void()> callback) {
  const Runtime::TimerId id = ++last_id_;
  timers_.emplace(Key{when, id}, std::move(callback));
  when_.emplace(id, when);
  return id;
}

bool TimerQueue::cancel(Runtime::TimerId timer) {
  const auto found = when_.find(timer);
  if (found == when_.end()) return false;
  timers_.erase(Key{found->second, timer});
  when_.erase(found);
  return true;
}

std::optional<MonoTime> TimerQueue::next() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.when;
}

std::move_only_function<void()> TimerQueue::take_due(MonoTime now) {
  if (timers_.empty() || timers_.begin()->first.when > now) return {};
  auto node = timers_.extract(timers_.begin());
  when_.erase(node.key().id);
  return std::move(node.mapped());
}

}  // namespace postrider
