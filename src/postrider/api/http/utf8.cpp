#include "postrider/api/http/utf8.hpp"

#include <algorithm>

namespace postrider {
namespace {

/// The form of a character by its first byte; `second_min` and `second_max` keep out overlong
/// forms, surrogates and what lies above U+10FFFF.
struct Form {
  std::size_t length = 0;  ///< 0: no character begins with this byte
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xbf;
};

Form form_of(unsigned char first) {
  if (first < 0x80) return {1};
  if (first < 0xc2 || first > 0xf4) return {0};
  if (first < 0xe0) return {2};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first < 0xf0) return {3};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {4};
}

struct Sequence {
  std::size_t length = 1;
  bool valid = false;
};

/// The character at the front of the text, or the longest part of one that it begins with.
Sequence first_sequence(std::string_view text) {
  const Form form = form_of(static_cast<unsigned char>(text[0]));
  if (form.length == 0) return {1, false};
  for (std::size_t i = 1; i < form.length; ++i) {
    const unsigned char low = i == 1 ? form.second_min : 0x80;
    const unsigned char high = i == 1 ? form.second_max : 0xbf;
    if (i == text.size()) return {i, false};
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < low || byte > high) return {i, false};
  }
  return {form.length, true};
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::ranges::all_of(text, is_ascii)) return std::string(text);
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const Sequence sequence = first_sequence(text);
    valid += sequence.valid ? text.substr(0, sequence.length) : "\xef\xbf\xbd";
    text.remove_prefix(sequence.length);
  }
  return valid;
}

}  // namespace postrider
