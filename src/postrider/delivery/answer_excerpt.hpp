#pragma once

#include <span>
#include <string>
#include <string_view>

namespace postrider {

/// Shorter ones would be found in ordinary words. Nobody takes them for secrets.
inline constexpr std::size_t secret_bytes_min = 4;

/// The beginning of what a receiver has answered, for logs and operators: at most about
/// `bytes_max` bytes, printable ASCII, with `[redacted]` in place of each of `secrets` that it
/// repeats, as pages do that show the request. Secrets of fewer than `secret_bytes_min` bytes are
/// not looked for. Any thread.
std::string answer_excerpt(std::string_view body, std::span<const std::string> secrets,
                           std::size_t bytes_max = 200);

}  // namespace postrider
