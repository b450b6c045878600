#pragma once

#include <string>
#include <string_view>

namespace postrider {

/// The text with U+FFFD in place of each byte sequence that is not UTF-8, so that it can stand in
/// a JSON document.
std::string valid_utf8(std::string_view text);

}  // namespace postrider
