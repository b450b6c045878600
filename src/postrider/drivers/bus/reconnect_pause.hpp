#pragma once

#include <algorithm>

#include "postrider/base/time.hpp"

namespace postrider {

/// How long to wait before the next attempt to connect: longer each time, until a connection has
/// proved to be of use.
class ReconnectPause {
 public:
  Duration next() {
    const Duration pause = pause_;
    pause_ = std::min(2 * pause_, longest);
    return pause;
  }
  void reset() { pause_ = shortest; }

 private:
  static constexpr Duration shortest = std::chrono::milliseconds{50};
  static constexpr Duration longest = std::chrono::seconds{5};
  Duration pause_ = shortest;
};

}  // namespace postrider
