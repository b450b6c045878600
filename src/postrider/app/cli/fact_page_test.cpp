#include "postrider/app/cli/fact_page.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(FactPage, keeps_facts_byte_for_byte) {
  const auto page = parse_fact_page(
      R"({"facts":[{"id":7,"fact":{"a": 1.0 ,"b":"\u00e4"}},{"id":8,"fact":{}}],"token":"t8"})");
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_EQ(page->facts.size(), 2U);
  EXPECT_EQ(page->facts[0].id, 7);
  EXPECT_EQ(page->facts[0].payload, R"({"a": 1.0 ,"b":"\u00e4"})");
  EXPECT_EQ(page->facts[0].entry, R"({"id":7,"fact":{"a": 1.0 ,"b":"\u00e4"}})");
  EXPECT_EQ(page->facts[1].payload, "{}");
  EXPECT_EQ(page->token, "t8");
}

TEST(FactPage, refuses_what_is_something_else) {
  for (const char* text : {"", "[]", "{}", "<html>", R"({"facts":[1],"token":"t"})",
                           R"({"facts":[{"id":1}],"token":"t"})", R"({"facts":[]})",
                           R"({"facts":[{"id":1,"fact":{"a":[}],"x":1}}],"token":"t"})"}) {
    const auto page = parse_fact_page(text);
    ASSERT_FALSE(page) << text;
    EXPECT_EQ(page.error().code, Code::bad_status);
  }
}

}  // namespace
}  // namespace postrider
