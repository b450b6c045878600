#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace postrider {

/// Writes the message to standard error and aborts. Never returns; async-signal context not needed.
[[noreturn]] void invariant_broken(std::string_view expression, std::string_view message,
                                   std::string_view file, int line);

}  // namespace postrider

/// Always on, in release too: a broken invariant ends the process before it can write wrong data.
#define POSTRIDER_ASSERT(condition, ...)                                                         \
  do {                                                                                           \
    if (!(condition)) [[unlikely]] {                                                             \
      ::postrider::invariant_broken(#condition, ::fmt::format(__VA_ARGS__), __FILE__, __LINE__); \
    }                                                                                            \
  } while (false)
