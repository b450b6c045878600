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
  if (std::ranges::count(glob, '*') > static_cast<std::ptrdiff_t>(glob_stars_max)) {
    return fail(Code::invalid_argument, "has {} stars; at most {} are allowed",
                std::ranges::count(glob, '*'), glob_stars_max);
  }
  if (std::ranges::any_of(glob, [](char c) { return c >= '\0' && c < ' '; })) {
    return fail(Code::invalid_argument, "must hold no control characters");
  }
  return {};
}

bool glob_matches(std::string_view glob, std::string_view name) {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_end = 0;  // of what the last star stands for so far
  std::size_t i = 0;
  while (i < name.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      star_end = i;
    } else if (at < glob.size() && glob[at] == name[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++star_end;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', at) == std::string_view::npos;
}

bool any_glob_matches(const std::vector<std::string>& globs, std::string_view name) {
  return std::ranges::any_of(globs, [name](const auto& glob) { return glob_matches(glob, name); });
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
