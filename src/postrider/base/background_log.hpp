#pragma once

#include <cstddef>
#include <cstdint>

namespace postrider {

/// Of more lines than this that wait to be written, the oldest are dropped.
inline constexpr std::size_t log_lines_waiting_max = 2048;

/// From now on lines wait in memory for a thread of their own, so that nobody waits for who reads
/// standard error. Called once, after `set_log` and before there are other threads; that thread has
/// the signal mask of the caller.
void write_log_in_background();

/// Lines that wait to be written. Any thread.
std::size_t log_lines_waiting();

/// Lines that were dropped since the start. Any thread.
std::uint64_t log_lines_dropped();

}  // namespace postrider
