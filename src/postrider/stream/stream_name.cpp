#include "postrider/stream/stream_name.hpp"

#include <algorithm>

namespace postrider {

bool is_stream_name(std::string_view name) {
  const auto lower_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= stream_name_bytes_max && lower_or_digit(name.front()) &&
         std::ranges::all_of(
             name, [&](char c) { return lower_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace postrider
