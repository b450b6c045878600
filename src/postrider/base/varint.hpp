#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postrider {

/// Appends LEB128 (7 bits a byte, low bits first): 1 byte below 128, 10 bytes at most.
void put_varint(std::string& out, std::uint64_t value);

/// Takes one number off the front of `in`. Empty when `in` ends early, the number does not fit
/// in 64 bits, or it is not in its shortest form; `in` is then unspecified.
std::optional<std::uint64_t> take_varint(std::string_view& in);

}  // namespace postrider
