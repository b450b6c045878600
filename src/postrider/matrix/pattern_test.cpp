#include "postrider/matrix/pattern.hpp"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "postrider/matrix/pattern_syntax.hpp"
#include "postrider/sort/pattern_options.hpp"

namespace postrider {
namespace {

constexpr std::size_t bytes_max = 4096;

/// What is said about the pattern; empty when it is taken.
std::string said(std::string_view pattern) {
  const auto checked = check_pattern(pattern, bytes_max);
  return checked ? std::string() : checked.error().detail;
}

/// As Python's re.match with the pattern.
bool matches(std::string_view pattern, std::string_view text) {
  const auto checked = check_pattern(pattern, bytes_max);
  EXPECT_TRUE(checked) << pattern << ": " << checked.error().detail;
  const re2::RE2 compiled(pattern_for_re2(pattern), pattern_options(1 << 20));
  return compiled.Match({text.data(), text.size()}, 0, text.size(), re2::RE2::ANCHOR_START, nullptr,
                        0);
}

TEST(Pattern, takes_what_registrations_usually_hold) {
  for (const std::string_view pattern : {"@irc_.*",
                                         "@irc_.*:example\\.org",
                                         "#freenode_[^:]+:.*",
                                         "",
                                         ".*",
                                         "@(a|b)_\\d{1,3}:.+?",
                                         "^@_xmpp_.*$",
                                         "@_[[:alnum:]]+",
                                         "(?i)@Bot",
                                         "(?P<name>a)b",
                                         "(?:a|b)*",
                                         "[]a]",
                                         "[^]a]",
                                         "a{,}",
                                         "a{",
                                         "a{}",
                                         "{a}",
                                         "\\x41",
                                         "\\141",
                                         "\\0",
                                         "[\\d\\-]",
                                         "@ü\\p{L}+",
                                         "a+?b*?",
                                         "(?s:.)",
                                         "(?-i)a",
                                         "\\(?=",
                                         "[(?=]",
                                         "[*+]",
                                         "\\++",
                                         "a\\*+"}) {
    EXPECT_EQ(said(pattern), "") << pattern;
  }
}

TEST(Pattern, names_the_construct_that_is_missing_and_where_it_stands) {
  EXPECT_EQ(said("@irc_(?!bot).*"),
            "at character 6: \"(?!\" is a negative lookahead, which RE2 does not have; list what"
            " is wanted instead, for example with a class such as [^x]");
  EXPECT_EQ(said("(a)\\1"),
            "at character 4: \"\\1\" is a backreference, which RE2 does not have; write out what"
            " the group matches once more");
  EXPECT_EQ(said("ab++"),
            "at character 3: \"++\" is a possessive repetition, which RE2 does not have; leave the"
            " last + out");
}

TEST(Pattern, knows_every_construct_that_re2_does_not_have) {
  const std::vector<std::pair<std::string, std::string>> constructs = {
      {"(?=b)", "a lookahead"},
      {"(?!b)", "a negative lookahead"},
      {"(?<=b)", "a lookbehind"},
      {"(?<!b)", "a negative lookbehind"},
      {"(?<n>b)", "a named group as Perl writes it"},
      {"(?'n'b)", "a named group as Perl writes it"},
      {"(?>b)", "an atomic group"},
      {"(?(1)b|c)", "a conditional"},
      {"(?P=n)", "a named backreference"},
      {"(?P>n)", "a recursion"},
      {"(?R)", "a recursion"},
      {"(?1)", "a recursion"},
      {"(?+1)", "a recursion"},
      {"(?-1)", "a recursion"},
      {"(?&n)", "a recursion"},
      {"(?#b)", "a comment"},
      {"(?|b)", "a branch reset"},
      {"(?x)", "the flag x"},
      {"(?ia:b)", "the flag a"},
      {"\\2", "a backreference"},
      {"\\12", "a backreference"},
      {"\\k<n>", "a named backreference"},
      {"\\g<1>", "a backreference"},
      {"\\G", "an anchor at the last match"},
      {"\\K", "a reset of the match"},
      {"\\R", "a line break of any kind"},
      {"\\X", "a grapheme"},
      {"\\h", "a horizontal space"},
      {"\\N{DASH}", "a character by its name"},
      {"\\C", "a single byte"},
      {"\\Qb\\E", "a quotation"},
      {"b*+", "a possessive repetition"},
      {"b?+", "a possessive repetition"},
      {"b{2}+", "a possessive repetition"},
      {"b{,2}+", "a possessive repetition"},
  };
  for (const auto& [text, name] : constructs) {
    const std::string detail = said("(a)ü" + text);
    EXPECT_NE(detail.find(" is " + name + ","), std::string::npos) << text << ": " << detail;
    const std::string place = text.starts_with('b') ? "at character 6: " : "at character 5: ";
    EXPECT_TRUE(detail.starts_with(place)) << text << ": " << detail;
  }
}

TEST(Pattern, counts_characters_and_not_bytes) {
  EXPECT_TRUE(said("@größe_(?=x)").starts_with("at character 8: "));
}

TEST(Pattern, says_where_other_mistakes_stand) {
  EXPECT_EQ(said("a(b(c)"), "at character 2: \"(\" is never closed");
  EXPECT_EQ(said("ab)c"), "at character 3: \")\" closes nothing");
  EXPECT_EQ(said("a[b"), "at character 2: \"[\" is never closed");
  EXPECT_EQ(said("\\\\y\\y"), "at character 4: invalid escape sequence: \\y");
  EXPECT_EQ(said("*a"), "at character 1: no argument for repetition operator: *");
  EXPECT_TRUE(said("a[z-a]").starts_with("at character 3: "));
  EXPECT_TRUE(said("a{1001}").starts_with("at character 2: "));
  EXPECT_NE(said("ab\\"), "");
  EXPECT_NE(said("a\xff"), "");
}

TEST(Pattern, means_what_python_means_where_re2_would_mean_something_else) {
  EXPECT_TRUE(matches("a{,2}b", "aab"));
  EXPECT_TRUE(matches("a{,2}b", "b"));
  EXPECT_FALSE(matches("a{,2}b", "aaab"));
  EXPECT_FALSE(matches("a{,2}b", "a{,2}b"));
  EXPECT_TRUE(matches("a{,}b", "aaaab"));
  EXPECT_TRUE(matches("a{,2}?b", "ab"));
  EXPECT_TRUE(matches("a\\Z", "a"));
  EXPECT_FALSE(matches("a\\Z", "ab"));
  EXPECT_TRUE(matches("\\u00fc\\U0001f600", "ü😀"));
  EXPECT_TRUE(matches("[\\u00fc]+b", "üüb"));
  EXPECT_TRUE(matches("\\101", "A"));
}

TEST(Pattern, is_anchored_at_the_start_and_not_at_the_end) {
  EXPECT_TRUE(matches("@irc", "@ircfoo:example.org"));
  EXPECT_FALSE(matches("irc", "@irc:example.org"));
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_FALSE(matches("@irc$", "@ircfoo:example.org"));
  EXPECT_FALSE(matches("a|b", "cb"));
}

TEST(Pattern, may_be_as_long_as_the_limit_and_no_longer) {
  EXPECT_TRUE(check_pattern(std::string(16, 'a'), 16));
  const auto longer = check_pattern(std::string(17, 'a'), 16);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, Code::limit_exceeded);
}

TEST(Pattern, may_not_become_a_program_that_is_too_large) {
  EXPECT_TRUE(check_pattern("@[a-z0-9._=/-]{1,255}:.*", bytes_max));
  for (const std::string_view pattern : {"(((\\p{L}{10}){10}){10})", "(\\p{L}{1,100}x){1,10}"}) {
    const auto checked = check_pattern(pattern, bytes_max);
    ASSERT_FALSE(checked) << pattern;
    EXPECT_EQ(checked.error().code, Code::limit_exceeded) << checked.error().detail;
  }
}

}  // namespace
}  // namespace postrider
