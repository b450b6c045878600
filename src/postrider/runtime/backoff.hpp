#pragma once

#include "postrider/base/time.hpp"

namespace postrider {

/// Grows from `min` by `multiplier` up to `max`: by default 2, 4, 8, … 512 s, 512 s.
struct Backoff {
  Duration min = std::chrono::seconds{2};
  Duration max = std::chrono::seconds{512};
  int multiplier = 2;

  bool operator==(const Backoff&) const = default;

  /// The interval after one more failure. `previous` is zero when there was none.
  [[nodiscard]] Duration next(Duration previous) const;
};

}  // namespace postrider
