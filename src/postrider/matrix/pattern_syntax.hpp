#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace postrider {

/// A pattern in RE2's syntax.
struct TranslatedPattern {
  std::string text;
  std::vector<std::size_t> token_offsets;  ///< where its tokens began in the original, in bytes
};

struct PatternMistake {
  std::size_t offset = 0;  ///< in bytes
  std::string detail;
};

/// Reads a pattern as Python's `re` does and writes it for RE2, with the very same meaning: `\Z`,
/// `{,n}`, `\uXXXX` and `\UXXXXXXXX` are written anew. What RE2 does not have, or would silently
/// take for something else, is a mistake. What is left to RE2 itself to refuse passes.
///
/// Source: the syntax of Python's `re`, and of RE2 (its file doc/syntax.txt).
std::expected<TranslatedPattern, PatternMistake> translate_pattern(std::string_view pattern);

}  // namespace postrider
