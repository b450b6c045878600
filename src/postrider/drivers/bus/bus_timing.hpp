#pragma once

#include "postrider/base/time.hpp"

namespace postrider {

/// What a connection of a bus does about silence.
struct BusTiming {
  Duration keep_alive_interval = std::chrono::seconds{5};  ///< says something at least as often
  Duration silence_max = std::chrono::seconds{15};         ///< cuts off who says nothing for longer
};

}  // namespace postrider
