#include "postrider/app/config/nearest_word.hpp"

#include <algorithm>
#include <ranges>

namespace postrider {
namespace {

constexpr std::size_t changes_max = 3;
// Longer input is not a typing mistake, and the comparison is quadratic.
constexpr std::size_t length_max = 100;

std::size_t changes_between(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::ranges::copy(std::views::iota(std::size_t{0}, row.size()), row.begin());
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> nearest_word(std::string_view mistyped,
                                        const std::vector<std::string>& words) {
  if (mistyped.size() > length_max) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t fewest = std::min(changes_max, (mistyped.size() - mistyped.size() / 2)) + 1;
  for (const std::string& word : words) {
    const std::size_t changes = changes_between(mistyped, word);
    if (changes >= fewest) continue;
    fewest = changes;
    nearest = word;
  }
  return nearest;
}

}  // namespace postrider
