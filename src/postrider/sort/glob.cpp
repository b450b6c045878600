#include "postrider/sort/glob.hpp"

#include <algorithm>

#include <re2/re2.h>

namespace postrider {

Result<void> check_glob(std::string_view glob) {
  if (glob.empty()) return fail(Code::invalid_argument, "must not be empty; * matches everything");
  if (glob.size() > glob_bytes_max) {
    return fail(Code::invalid_argument, "has {} bytes; at most {} are allowed", glob.size(),
                glob_bytes_max);
  }
  if (std::ranges::any_of(glob, [](char c) { return c >= '\0' && c < ' '; })) {
    return fail(Code::invalid_argument, "must hold no control characters");
  }
  return {};
}

bool any_glob_matches(const std::vector<std::string>& globs, std::string_view name) {
  return std::ranges::any_of(globs, [name](const std::string& glob) {
    return re2::RE2::FullMatch({name.data(), name.size()}, glob_for_re2(glob));
  });
}

std::string glob_for_re2(std::string_view glob) {
  std::string pattern = "(?s:";
  std::size_t literal = 0;
  while (true) {
    const std::size_t star = glob.find('*', literal);
    const std::string_view text = glob.substr(literal, star - literal);
    pattern += re2::RE2::QuoteMeta({text.data(), text.size()});
    if (star == std::string_view::npos) break;
    if (!pattern.ends_with(".*")) pattern += ".*";
    literal = star + 1;
  }
  return pattern + ")\\z";
}

}  // namespace postrider
