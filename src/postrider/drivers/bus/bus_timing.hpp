#pragma once

#include "postrider/base/time.hpp"

namespace postrider {

/// How a connection of a bus is kept alive.
struct BusTiming {
  Duration keep_alive_interval = std::chrono::seconds{5};  ///< sends something at least as often
  Duration receive_timeout = std::chrono::seconds{15};     ///< closes when nothing comes for longer
};

}  // namespace postrider
