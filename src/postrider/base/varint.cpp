#include "postrider/base/varint.hpp"

namespace postrider {

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> take_long_varint(std::string_view& in) {
  constexpr int last_shift = 63;
  std::uint64_t value = 0;
  for (int shift = 0; shift <= last_shift && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    if (shift == last_shift && byte > 1) return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && shift > 0) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

}  // namespace postrider
