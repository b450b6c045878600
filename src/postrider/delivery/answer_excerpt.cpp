#include "postrider/delivery/answer_excerpt.hpp"

#include <algorithm>

namespace postrider {
namespace {

/// Length of the longest secret that the text begins with; 0 when there is none.
std::size_t secret_at_front(std::string_view text, std::span<const std::string> secrets) {
  std::size_t longest = 0;
  for (const std::string_view secret : secrets) {
    if (secret.size() >= secret_bytes_min && text.starts_with(secret)) {
      longest = std::max(longest, secret.size());
    }
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
