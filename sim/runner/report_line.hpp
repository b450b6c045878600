#pragma once

#include <string>

#include "sim/history/history.hpp"

namespace postrider::sim {

/// The line that tells of one history, with the command that replays it when a check broke.
std::string line_of(const Report& report);

/// The command that replays the history with every event of it.
std::string replay_command(std::uint64_t seed, std::string_view scenario);

}  // namespace postrider::sim
