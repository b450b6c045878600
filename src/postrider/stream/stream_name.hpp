#pragma once

#include <cstddef>
#include <string_view>

namespace postrider {

inline constexpr std::size_t stream_name_bytes_max = 63;

/// 1 to 63 characters of a-z 0-9 _ . - that begin with a letter or a digit.
bool is_stream_name(std::string_view name);

}  // namespace postrider
