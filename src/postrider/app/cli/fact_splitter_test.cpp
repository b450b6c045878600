#include "postrider/app/cli/fact_splitter.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

struct Split {
  std::vector<std::string> texts;
  std::vector<std::int64_t> lines;
  std::string fault;
  bool operator==(const Split&) const = default;
};

Split split(std::string_view input, std::size_t part_bytes = 1'000'000) {
  FactSplitter splitter;
  std::vector<InputFact> facts;
  Result<void> outcome;
  while (!input.empty() && outcome) {
    outcome = splitter.feed(input.substr(0, part_bytes), facts);
    input.remove_prefix(std::min(part_bytes, input.size()));
  }
  if (outcome) outcome = splitter.finish();
  Split result;
  for (const InputFact& fact : facts) {
    result.texts.push_back(fact.text);
    result.lines.push_back(fact.line);
  }
  if (!outcome) result.fault = outcome.error().detail;
  return result;
}

using Texts = std::vector<std::string>;

TEST(FactSplitter, cuts_lines_arrays_and_spread_objects_byte_for_byte) {
  EXPECT_EQ(split("{\"a\": 1.0}\n{\"b\":2}\r\n").texts, (Texts{"{\"a\": 1.0}", "{\"b\":2}"}));
  EXPECT_EQ(split("[{\"a\":[1,{}]} , {\"b\":2}]").texts, (Texts{"{\"a\":[1,{}]}", "{\"b\":2}"}));
  EXPECT_EQ(split("{\n \"a\": 1\n}\n[{}]\n[]\n{}").texts, (Texts{"{\n \"a\": 1\n}", "{}", "{}"}));
  EXPECT_EQ(split("").texts, Texts{});
}

TEST(FactSplitter, does_not_look_for_braces_in_strings) {
  const std::string tricky = R"({"a":"}]{[\"}\\","b":"\\\""})";
  EXPECT_EQ(split(tricky + tricky).texts, (Texts{tricky, tricky}));
}

TEST(FactSplitter, knows_the_line_of_each_fact) {
  EXPECT_EQ(split("\n{}\n[{},\n{\n}\n]").lines, (std::vector<std::int64_t>{2, 3, 4}));
}

TEST(FactSplitter, gives_the_same_however_the_input_is_cut) {
  const std::string input = "[{\"a\":\"\\\"}\"},\n{\"b\":{}}]\n{\"c\":[]}";
  const Split whole = split(input);
  ASSERT_EQ(whole.texts.size(), 3U);
  for (std::size_t part = 1; part < input.size(); ++part) EXPECT_EQ(split(input, part), whole);
}

TEST(FactSplitter, names_the_line_of_what_is_no_fact) {
  EXPECT_TRUE(split("{}\nx").fault.starts_with("line 2: 'x'"));
  for (const char* input :
       {"{},{}", "[,{}]", "[{},]", "[{}{}]", "[[{}]]", "]", "1", "\"a\"", "[1]"}) {
    EXPECT_NE(split(input).fault, "") << input;
  }
}

TEST(FactSplitter, notices_an_input_that_ends_early) {
  EXPECT_NE(split("{}\n{\"a\":").fault.find("begins in line 2"), std::string::npos);
  EXPECT_NE(split("\n[{}").fault.find("array that begins in line 2"), std::string::npos);
}

}  // namespace
}  // namespace postrider
