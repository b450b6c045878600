#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider {

/// The word that `mistyped` most likely stands for: the one with the fewest single-character
/// changes between them, when there are at most three of them and at most half the letters.
/// The first one wins a tie.
std::optional<std::string> nearest_word(std::string_view mistyped,
                                        const std::vector<std::string>& words);

}  // namespace postrider
