#pragma once

#include <cstddef>
#include <span>

namespace postrider {

/// From the operating system's generator. Ends the process when that has none to give.
void system_random_bytes(std::span<std::byte> bytes);

}  // namespace postrider
