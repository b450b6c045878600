#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postrider {

/// Appends LEB128 (7 bits a byte, low bits first): 1 byte below 128, 10 bytes at most.
void put_varint(std::string& out, std::uint64_t value);

/// `take_varint`, also of more than one byte.
std::optional<std::uint64_t> take_long_varint(std::string_view& in);

/// Takes one number off the front of `in`. Empty when `in` ends early, the number does not fit
/// in 64 bits, or it is not in its shortest form; `in` is then unspecified.
inline std::optional<std::uint64_t> take_varint(std::string_view& in) {
  if (in.empty() || static_cast<unsigned char>(in.front()) >= 0x80) return take_long_varint(in);
  const auto value = static_cast<unsigned char>(in.front());
  in.remove_prefix(1);
  return value;
}

}  // namespace postrider
