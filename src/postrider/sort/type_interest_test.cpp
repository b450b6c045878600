#include "postrider/sort/type_interest.hpp"

#include <gtest/gtest.h>

#include "postrider/sort/glob.hpp"
#include "postrider/sort/interest_memo.hpp"

namespace postrider {
namespace {

ServiceSet keys(std::initializer_list<std::int64_t> values) {
  ServiceSet services;
  for (const std::int64_t value : values) services.emplace_back(value);
  return services;
}

ServiceInterest service(std::int64_t key, std::vector<std::string> types,
                        std::vector<std::string> streams = {"*"}) {
  return {ServiceKey(key),
          std::make_shared<const TypeInterest>(std::move(types), std::move(streams))};
}

TEST(Glob, stands_for_any_run_of_characters_and_matches_the_whole_name) {
  const TypeIndex index({service(1, {"order.*"}), service(2, {"*.placed"}), service(3, {"*"}),
                         service(4, {"order.placed"}), service(5, {"o*r.*d"}), service(6, {"a+b"}),
                         service(7, {"**"})},
                        nullptr);
  EXPECT_EQ(index.of_type("order.placed"), keys({1, 2, 3, 4, 5, 7}));
  EXPECT_EQ(index.of_type("order."), keys({1, 3, 7}));
  EXPECT_EQ(index.of_type("orderXplaced"), keys({3, 7}));
  EXPECT_EQ(index.of_type("order.placed2"), keys({1, 3, 7}));
  EXPECT_EQ(index.of_type("aab"), keys({3, 7}));
  EXPECT_EQ(index.of_type("a+b"), keys({3, 6, 7}));
  EXPECT_EQ(index.of_type("ümlaut\nline"), keys({3, 7}));
  EXPECT_EQ(index.of_type(""), keys({3, 7}));
}

TEST(Glob, is_matched_without_compiling_as_it_is_compiled) {
  const std::vector<std::string> globs = {"*",  "a*",   "*a",    "*a*", "a*b",  "a**b", "*ab*ab*",
                                          "ab", "a*b*", "*b*a*", "a+b", "a.*b", "**",   "aab*b"};
  std::vector<std::string> names = {""};
  for (std::size_t i = 0; i < 400; ++i) {
    for (const char c : {'a', 'b', '.'}) names.push_back(names[i] + c);
  }
  for (const std::string& glob : globs) {
    const TypeIndex index({service(1, {glob})}, nullptr);
    for (const std::string& name : names) {
      EXPECT_EQ(glob_matches(glob, name), !index.of_type(name).empty()) << glob << " " << name;
    }
  }
}

TEST(Glob, is_checked) {
  EXPECT_TRUE(check_glob("*"));
  EXPECT_TRUE(check_glob(std::string(glob_bytes_max, 'x')));
  EXPECT_FALSE(check_glob(std::string(glob_bytes_max + 1, 'x')));
  EXPECT_FALSE(check_glob(""));
  EXPECT_FALSE(check_glob("a\nb"));
  EXPECT_TRUE(check_glob("*a*b*c*d*e*f*g*h"));
  EXPECT_FALSE(check_glob("*a*b*c*d*e*f*g*h*"));
}

TEST(TypeMatcher, gives_a_fact_to_those_who_want_its_type_and_its_stream) {
  const TypeIndex index(
      {service(1, {"a"}, {"orders"}), service(2, {"a", "b"}, {"or*", "x"}), service(3, {"b"})},
      nullptr);
  TypeMatcher orders("orders");
  orders.adopt(&index);
  EXPECT_EQ(orders.services_of("a"), keys({1, 2}));
  EXPECT_EQ(orders.services_of("b"), keys({2, 3}));
  EXPECT_EQ(orders.services_of("a"), keys({1, 2}));
  TypeMatcher others("others");
  others.adopt(&index);
  EXPECT_EQ(others.services_of("a"), keys({}));
  EXPECT_EQ(others.services_of("b"), keys({3}));
}

TEST(TypeMatcher, forgets_what_it_knew_by_other_rules) {
  const TypeIndex before({service(1, {"a"})}, nullptr);
  const TypeIndex after({service(2, {"a"})}, &before);
  TypeMatcher matcher("s");
  matcher.adopt(&before);
  EXPECT_EQ(matcher.services_of("a"), keys({1}));
  matcher.adopt(&after);
  EXPECT_EQ(matcher.services_of("a"), keys({2}));
}

TEST(TypeInterest, is_equal_to_one_that_asks_for_the_same) {
  const TypeInterest interest({"a"}, {"*"});
  EXPECT_TRUE(interest.equals(TypeInterest({"a"}, {"*"})));
  EXPECT_FALSE(interest.equals(TypeInterest({"b"}, {"*"})));
  EXPECT_FALSE(interest.equals(TypeInterest({"a"}, {"s"})));
}

}  // namespace
}  // namespace postrider
