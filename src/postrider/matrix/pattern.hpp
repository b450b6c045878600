#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "postrider/base/result.hpp"

namespace postrider {

/// Instructions of a compiled pattern. A plain pattern has one or two for each character.
inline constexpr int pattern_program_max = 10'000;

/// Checks one pattern of a registration. Patterns are written for Python's `re` or POSIX; ours is
/// RE2, matched like Python's `re.match`: anchored at the start, not at the end. `\d`, `\w`, `\s`
/// and `\b` know ASCII only. What RE2 lacks is named with the character where it stands, counted
/// from 1. Errors: `limit_exceeded` (longer than `bytes_max`, or too large once compiled),
/// `invalid_argument`.
Result<void> check_pattern(std::string_view pattern, std::size_t bytes_max);

/// The pattern as RE2 writes it. `check_pattern` took it.
std::string pattern_for_re2(std::string_view pattern);

}  // namespace postrider
