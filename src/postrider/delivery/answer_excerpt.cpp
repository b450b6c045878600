#include "postrider/delivery/answer_excerpt.hpp"

#include <algorithm>

namespace postrider {
namespace {

/// How much of a secret the text begins with: all of it, or all that is left of the text, which the
/// receiver or our own limit may have cut there. In JSON a `/` may stand as `\/`.
std::size_t length_at_front(std::string_view text, std::string_view secret) {
  std::size_t length = 0;
  for (const char c : secret) {
    if (c == '/' && text.substr(length).starts_with("\\/")) ++length;
    if (length == text.size()) break;
    if (text[length] != c) return 0;
    ++length;
  }
  return length >= secret_bytes_min ? length : 0;
}

/// Of the longest secret.
std::size_t secret_at_front(std::string_view text, std::span<const std::string> secrets) {
  std::size_t longest = 0;
  for (const std::string_view secret : secrets) {
    longest = std::max(longest, length_at_front(text, secret));
  }
  return longest;
}

bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}

}  // namespace

std::string answer_excerpt(std::string_view body, std::span<const std::string> secrets,
                           std::size_t bytes_max) {
  std::string excerpt;
  while (!body.empty() && excerpt.size() < bytes_max) {
    const std::size_t hidden = secret_at_front(body, secrets);
    if (hidden > 0) {
      excerpt += "[redacted]";
      body.remove_prefix(hidden);
    } else {
      excerpt += is_printable(body.front()) ? body.front() : ' ';
      body.remove_prefix(1);
    }
  }
  return excerpt;
}

}  // namespace postrider
