#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/result.hpp"

namespace postrider {

inline constexpr std::size_t glob_bytes_max = 1024;
/// More make matching slow: each may begin anywhere.
inline constexpr std::size_t glob_stars_max = 8;

/// Checks one glob: `*` stands for any run of characters, also an empty one; every other character
/// for itself; the whole name must match. Errors: `invalid_argument`.
Result<void> check_glob(std::string_view glob);

/// Compiles nothing: for a single question.
bool glob_matches(std::string_view glob, std::string_view name);
/// Whether one of the globs stands for the name.
bool any_glob_matches(const std::vector<std::string>& globs, std::string_view name);

/// The glob as a pattern of RE2 that is matched from the start of a name.
std::string glob_for_re2(std::string_view glob);

}  // namespace postrider
