#pragma once

#include <numeric>
#include <string_view>
#include <vector>

namespace postrider {

using Numbers = std::vector<int>;

/// The `n` of each fact in a body.
inline Numbers numbers_in(std::string_view body) {
  constexpr std::string_view name = "\"n\":";
  Numbers numbers;
  for (auto at = body.find(name); at != std::string_view::npos; at = body.find(name, at)) {
    at += name.size();
    int number = 0;
    for (; at < body.size() && body[at] >= '0' && body[at] <= '9'; ++at) {
      number = 10 * number + (body[at] - '0');
    }
    numbers.push_back(number);
  }
  return numbers;
}

inline Numbers all_to(int last, int first = 1) {
  Numbers numbers(static_cast<std::size_t>(last - first + 1));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

}  // namespace postrider
