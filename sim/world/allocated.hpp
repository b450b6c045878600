#pragma once

#include <cstdint>

namespace postrider::sim {

/// Bytes of memory that C++ code holds now. One thread.
std::int64_t allocated_bytes();

}  // namespace postrider::sim
