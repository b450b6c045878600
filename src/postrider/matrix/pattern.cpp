#include "postrider/matrix/pattern.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"
#include "postrider/matrix/pattern_syntax.hpp"
#include "postrider/sort/pattern_options.hpp"

namespace postrider {
namespace {

// Room for a program a good deal larger than the limit, so that its size is what is refused.
constexpr std::int64_t check_memory_max = 8LL << 20;

std::unexpected<Error> refuse(std::string_view pattern, std::size_t offset,
                              std::string_view detail) {
  const auto begins_character = [](char c) { return (c & '\xC0') != '\x80'; };
  const auto before = std::ranges::count_if(pattern.substr(0, offset), begins_character);
  return fail(Code::invalid_argument, "at character {}: {}", before + 1, detail);
}

/// RE2 tells which part it did not take, and not where that stands.
std::unexpected<Error> refuse(std::string_view pattern, const TranslatedPattern& translated,
                              const re2::RE2& compiled) {
  const std::string& part = compiled.error_arg();
  for (const std::size_t offset : translated.token_offsets) {
    if (!part.empty() && pattern.substr(offset).starts_with(part)) {
      return refuse(pattern, offset, compiled.error());
    }
  }
  return fail(Code::invalid_argument, "not a valid pattern: {}", compiled.error());
}

bool is_too_large(const re2::RE2& compiled) {
  if (compiled.ok()) return compiled.ProgramSize() > pattern_program_max;
  return compiled.error_code() == re2::RE2::ErrorPatternTooLarge;
}

}  // namespace

Result<void> check_pattern(std::string_view pattern, std::size_t bytes_max) {
  if (pattern.size() > bytes_max) {
    return fail(Code::limit_exceeded, "the pattern is {} bytes long, and at most {} are allowed",
                pattern.size(), bytes_max);
  }
  const auto translated = translate_pattern(pattern);
  if (!translated) return refuse(pattern, translated.error().offset, translated.error().detail);
  const re2::RE2 compiled(translated->text, pattern_options(check_memory_max));
  if (is_too_large(compiled)) {
    return fail(Code::limit_exceeded,
                "the pattern becomes a program of more than {} instructions; use smaller"
                " repetition counts",
                pattern_program_max);
  }
  if (!compiled.ok()) return refuse(pattern, *translated, compiled);
  return {};
}

std::string pattern_for_re2(std::string_view pattern) {
  auto translated = translate_pattern(pattern);
  POSTRIDER_ASSERT(translated.has_value(), "pattern {} was never checked", pattern);
  return std::move(translated->text);
}

}  // namespace postrider
