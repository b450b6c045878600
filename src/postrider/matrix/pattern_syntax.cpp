#include "postrider/matrix/pattern_syntax.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace postrider {
namespace {

struct Construct {
  std::string_view begins_with;
  std::string_view name;
  std::string_view hint;
};

constexpr std::string_view without_it = "write the pattern without it";
constexpr std::string_view no_reference = "write out what the group matches once more";
constexpr std::string_view no_recursion = "write out as many levels as names can have";

// The longest beginning stands first where two fit.
constexpr std::array group_constructs = {
    Construct{"(?=", "a lookahead", "write what may follow as part of the pattern"},
    Construct{"(?!", "a negative lookahead",
              "list what is wanted instead, for example with a class such as [^x]"},
    Construct{"(?<=", "a lookbehind", "write what must stand before as part of the pattern"},
    Construct{"(?<!", "a negative lookbehind",
              "list what may stand before instead, for example with a class such as [^x]"},
    Construct{"(?<", "a named group as Perl writes it", "write (?P<name>...)"},
    Construct{"(?'", "a named group as Perl writes it", "write (?P<name>...)"},
    Construct{"(?>", "an atomic group", "write (?:...)"},
    Construct{"(?(", "a conditional", "write both cases with |"},
    Construct{"(?P=", "a named backreference", no_reference},
    Construct{"(?P>", "a recursion", no_recursion},
    Construct{"(?R", "a recursion", no_recursion},
    Construct{"(?&", "a recursion", no_recursion},
    Construct{"(?#", "a comment", "leave it out"},
    Construct{"(?|", "a branch reset", "write (?:...)"},
};

constexpr std::array escape_constructs = {
    Construct{"\\k", "a named backreference", no_reference},
    Construct{"\\g", "a backreference", no_reference},
    Construct{"\\G", "an anchor at the last match", without_it},
    Construct{"\\K", "a reset of the match", without_it},
    Construct{"\\R", "a line break of any kind", "write [\\r\\n]"},
    Construct{"\\X", "a grapheme", without_it},
    Construct{"\\h", "a horizontal space", "write [ \\t]"},
    Construct{"\\N", "a character by its name", "write \\x{...} with its number"},
    Construct{"\\C", "a single byte", "write . for a character"},
    Construct{"\\Q", "a quotation", "write \\ in front of each special character"},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_octal(char c) {
  return c >= '0' && c <= '7';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) : rest_(pattern), size_(pattern.size()) {}

  std::expected<TranslatedPattern, PatternMistake> run() {
    while (!rest_.empty() && !mistake_) read_token();
    if (!mistake_ && !open_groups_.empty()) {
      mistake_ = {open_groups_.back(), "\"(\" is never closed"};
    }
    if (mistake_) return std::unexpected(*std::move(mistake_));
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::size_t offset() const { return size_ - rest_.size(); }
  [[nodiscard]] char peek(std::size_t ahead) const {
    return ahead < rest_.size() ? rest_[ahead] : '\0';
  }
  void copy(std::size_t count) {
    const std::string_view part = rest_.substr(0, count);
    result_.text += part;
    rest_.remove_prefix(part.size());
  }
  void replace(std::size_t count, std::string_view text) {
    result_.text += text;
    rest_.remove_prefix(count);
  }
  void refuse(std::size_t length, std::string_view name, std::string_view hint) {
    mistake_ = {offset(), fmt::format("\"{}\" is {}, which RE2 does not have; {}",
                                      rest_.substr(0, length), name, hint)};
  }
  bool refuse_known(const auto& constructs) {
    for (const Construct& construct : constructs) {
      if (!rest_.starts_with(construct.begins_with)) continue;
      refuse(construct.begins_with.size(), construct.name, construct.hint);
      return true;
    }
    return false;
  }

  void read_token() {
    result_.token_offsets.push_back(offset());
    switch (rest_.front()) {
      case '\\':
        return read_escape();
      case '[':
        return read_class();
      case '(':
        return read_group();
      case ')':
        if (open_groups_.empty()) {
          mistake_ = {offset(), "\")\" closes nothing"};
          return;
        }
        open_groups_.pop_back();
        return copy(1);
      case '*':
      case '+':
      case '?':
        if (!refuse_possessive(1)) copy_repetition(1);
        return;
      case '{':
        return read_counted_repetition();
      default:
        return copy(1);
    }
  }

  void read_escape() {
    const char c = peek(1);
    // Three octal digits are a character, to Python as to RE2. Two are one to RE2 only.
    if (c >= '1' && c <= '9' && !(is_octal(c) && is_octal(peek(2)) && is_octal(peek(3)))) {
      return refuse(is_digit(peek(2)) ? 3 : 2, "a backreference", no_reference);
    }
    if (c == 'Z') return replace(2, "\\z");
    if (refuse_known(escape_constructs)) return;
    read_plain_escape();
  }

  /// What means the same inside a class and outside.
  void read_plain_escape() {
    const std::size_t digits = peek(1) == 'u' ? 4 : 8;
    const bool is_unicode = (peek(1) == 'u' || peek(1) == 'U') && rest_.size() >= 2 + digits &&
                            std::ranges::all_of(rest_.substr(2, digits), is_hex);
    if (!is_unicode) return copy(2);
    const std::string number(rest_.substr(2, digits));
    replace(2 + digits, fmt::format("\\x{{{}}}", number));
  }

  void read_class() {
    const std::size_t begin = offset();
    copy(peek(1) == '^' ? 2 : 1);
    if (peek(0) == ']') copy(1);
    while (!rest_.empty() && rest_.front() != ']') {
      const std::size_t name_end = rest_.starts_with("[:") ? rest_.find(":]", 2) : rest_.npos;
      result_.token_offsets.push_back(offset());
      if (name_end != rest_.npos) {
        copy(name_end + 2);
      } else if (rest_.front() == '\\') {
        read_plain_escape();
      } else {
        copy(1);
      }
    }
    if (rest_.empty()) {
      mistake_ = {begin, "\"[\" is never closed"};
      return;
    }
    copy(1);
  }

  void read_group() {
    const bool is_numbered =
        rest_.starts_with("(?") &&
        (is_digit(peek(2)) || ((peek(2) == '+' || peek(2) == '-') && is_digit(peek(3))));
    if (is_numbered) return refuse(is_digit(peek(2)) ? 3 : 4, "a recursion", no_recursion);
    if (refuse_known(group_constructs) || refuse_flags()) return;
    open_groups_.push_back(offset());
    // A flag setting such as (?i) is closed by its own parenthesis, like a group.
    copy(rest_.starts_with("(?") ? 2 : 1);
  }

  bool refuse_flags() {
    if (!rest_.starts_with("(?")) return false;
    const std::string_view flags = rest_.substr(2, rest_.find_first_of(":)", 2) - 2);
    if (flags.starts_with('P')) return false;
    const std::size_t unknown = flags.find_first_of("aLux");
    if (unknown == flags.npos) return false;
    const bool is_default = flags[unknown] == 'a';
    refuse(2 + unknown + 1, fmt::format("the flag {}", flags[unknown]),
           is_default ? "leave it out: classes such as \\w are ASCII anyway" : without_it);
    return true;
  }

  void read_counted_repetition() {
    std::size_t end = 1;
    while (is_digit(peek(end))) ++end;
    const bool has_minimum = end > 1;
    const bool has_comma = peek(end) == ',';
    if (has_comma) ++end;
    while (is_digit(peek(end))) ++end;
    if (peek(end) != '}' || (!has_minimum && !has_comma)) return copy(1);  // a plain brace
    if (refuse_possessive(end + 1)) return;
    // Python takes {,n} for {0,n}, RE2 for plain text.
    if (!has_minimum) {
      replace(1, "{0");
      --end;
    }
    copy_repetition(end + 1);
  }

  bool refuse_possessive(std::size_t length) {
    if (peek(length) != '+') return false;
    refuse(length + 1, "a possessive repetition", "leave the last + out");
    return true;
  }

  void copy_repetition(std::size_t length) {
    copy(length);
    if (peek(0) == '?') copy(1);
  }

  std::string_view rest_;
  std::size_t size_;
  TranslatedPattern result_;
  std::vector<std::size_t> open_groups_;
  std::optional<PatternMistake> mistake_;
};

}  // namespace

std::expected<TranslatedPattern, PatternMistake> translate_pattern(std::string_view pattern) {
  return Translator(pattern).run();
}

}  // namespace postrider
