#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "postrider/base/result.hpp"

namespace postrider {

/// Reads `250ms`, `2s`, `10m`, `12h`, `7d`: a whole number and one unit. No sign, no fraction.
Result<Duration> parse_duration(std::string_view text);

/// Reads `512B`, `64KiB`, `16MiB`, `2GiB`: a whole number and one unit (powers of 1024).
Result<std::uint64_t> parse_size(std::string_view text);

/// The shortest exact form that `parse_duration` reads back.
std::string format_duration(Duration duration);
std::string format_size(std::uint64_t bytes);

}  // namespace postrider
