#pragma once

#include <cstdint>
#include <optional>

namespace postrider {

/// Bytes that this process has had written to storage since it began: database, logs, everything.
/// Empty where the system does not say. Any thread.
/// Source: proc(5), `write_bytes` of /proc/self/io.
std::optional<std::uint64_t> storage_written_bytes();

}  // namespace postrider
