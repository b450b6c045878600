#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "postrider/base/time.hpp"
#include "postrider/runtime/runtime.hpp"

namespace postrider {

/// The timers of one runtime, ordered by time and then by age. Both runtimes keep theirs here.
class TimerQueue {
 public:
  Runtime::TimerId add(MonoTime when, std::move_only_function<void()> callback);
  bool cancel(Runtime::TimerId timer);

  [[nodiscard]] std::optional<MonoTime> next() const;
  /// Takes off the earliest callback when it is due at `now`; empty when none is.
  std::move_only_function<void()> take_due(MonoTime now);

 private:
  struct Key {
    MonoTime when;
    Runtime::TimerId id;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, std::move_only_function<void()>> timers_;
  std::unordered_map<Runtime::TimerId, MonoTime> when_;
  Runtime::TimerId last_id_ = 0;
};

}  // namespace postrider
