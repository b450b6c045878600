#include "postrider/runtime/backoff.hpp"

#include <algorithm>

namespace postrider {

Duration Backoff::next(Duration previous) const {
  if (previous < min) return std::min(min, max);
  // Compared by division, so that a huge persisted interval cannot overflow.
  if (previous > max / multiplier) return max;
  return std::min(previous * multiplier, max);
}

}  // namespace postrider
