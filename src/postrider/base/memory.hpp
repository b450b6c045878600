#pragma once

namespace postrider {

/// Gives memory that was freed back to the system, of all threads. To be called after work that
/// needed much more than it keeps; takes some milliseconds for each 100 MiB. Any thread.
/// Source: malloc_trim(3).
void return_freed_memory();

}  // namespace postrider
