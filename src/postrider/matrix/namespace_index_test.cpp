#include "postrider/matrix/namespace_index.hpp"

#include <gtest/gtest.h>

#include "postrider/matrix/testing/matrix_services.hpp"

namespace postrider {
namespace {

ServiceInterest service(std::int64_t key, std::string localpart, Namespaces namespaces) {
  return matrix_service(ServiceKey(key), std::move(localpart), std::move(namespaces));
}

NamespaceEntry entry(std::string regex) {
  return {std::move(regex), true};
}

ServiceSet keys(std::initializer_list<std::int64_t> values) {
  ServiceSet services;
  for (const std::int64_t value : values) services.emplace_back(value);
  return services;
}

TEST(NamespaceIndex, finds_services_by_each_kind_of_name_apart) {
  CompiledIndex index({service(1, "one", {.users = {entry("@irc_.*")}}),
                       service(2, "two", {.aliases = {entry("#irc_.*")}}),
                       service(3, "three", {.rooms = {entry("!some_room.*")}})},
                      "");
  EXPECT_EQ(index.users("@irc_foobar:matrix.org"), keys({1}));
  EXPECT_EQ(index.users("@someone_else:matrix.org"), keys({}));
  EXPECT_EQ(index.aliases("#irc_foobar:matrix.org"), keys({2}));
  EXPECT_EQ(index.aliases("@irc_foobar:matrix.org"), keys({}));
  EXPECT_EQ(index.rooms("!some_room_here:matrix.org"), keys({3}));
  EXPECT_EQ(index.rooms("!other_room:matrix.org"), keys({}));
}

TEST(NamespaceIndex, matches_from_the_start_and_not_to_the_end) {
  CompiledIndex index({service(1, "bot", {.users = {entry("@irc")}})}, "");
  EXPECT_EQ(index.users("@ircfoo:matrix.org"), keys({1}));
  EXPECT_EQ(index.users("@x@irc:matrix.org"), keys({}));
}

TEST(NamespaceIndex, does_not_ask_whether_a_namespace_is_exclusive) {
  CompiledIndex index({service(1, "one", {.users = {{"@a.*", true}}}),
                       service(2, "two", {.users = {{"@a.*", false}}})},
                      "");
  EXPECT_EQ(index.users("@a:h"), keys({1, 2}));
}

TEST(NamespaceIndex, counts_the_services_own_user_of_its_server_only) {
  CompiledIndex index({service(1, "bot", {}), service(2, "bot", {}), service(3, "bo", {})}, "h");
  EXPECT_EQ(index.users("@bot:h"), keys({1, 2}));
  EXPECT_EQ(index.users("@bot:other"), keys({}));
  EXPECT_EQ(index.users("@bot:h:8448"), keys({}));
  EXPECT_EQ(index.users("@bot"), keys({}));
  EXPECT_EQ(index.users("@bott:h"), keys({}));
  EXPECT_EQ(index.users("bot:h"), keys({}));
}

TEST(NamespaceIndex, counts_the_services_own_user_of_any_server_when_none_is_named) {
  CompiledIndex index({service(1, "bot", {})}, "");
  EXPECT_EQ(index.users("@bot:h"), keys({1}));
  EXPECT_EQ(index.users("@bot:other:1"), keys({1}));
  EXPECT_EQ(index.users("@bot"), keys({}));
  EXPECT_TRUE(index.is_local("@a:anywhere"));
}

TEST(NamespaceIndex, adds_the_own_user_to_what_patterns_match) {
  CompiledIndex index({service(1, "bot", {}), service(2, "x", {.users = {entry("@b.*")}})}, "h");
  EXPECT_EQ(index.users("@bot:h"), keys({1, 2}));
}

TEST(NamespaceIndex, knows_local_users_by_the_server_name) {
  CompiledIndex index({}, "h:8448");
  EXPECT_TRUE(index.is_local("@a:h:8448"));
  EXPECT_FALSE(index.is_local("@a:h"));
  EXPECT_FALSE(index.is_local("@a"));
}

TEST(NamespaceIndex, takes_an_empty_name_for_no_name) {
  CompiledIndex index(
      {service(1, "", {.users = {entry(".*")}, .aliases = {entry(".*")}, .rooms = {entry("")}})},
      "");
  EXPECT_EQ(index.users(""), keys({}));
  EXPECT_EQ(index.rooms(""), keys({}));
  EXPECT_EQ(index.aliases(""), keys({}));
  EXPECT_EQ(index.users("x"), keys({1}));
}

TEST(NamespaceIndex, gives_the_same_answer_again) {
  CompiledIndex index(
      {service(1, "a", {.users = {entry("@a.*")}}), service(2, "b", {.users = {entry("@b.*")}})},
      "");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(index.users("@a:h"), keys({1}));
    EXPECT_EQ(index.users("@b:h"), keys({2}));
    EXPECT_EQ(index.users("@c:h"), keys({}));
  }
}

TEST(InterestMemo, forgets_when_it_is_full_and_goes_on) {
  InterestMemo memo(4096);
  std::size_t remembered = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = fmt::format("@user{}:h", i);
    EXPECT_EQ(memo.find(name), nullptr);
    EXPECT_EQ(memo.add(name, keys({i, i + 1})), keys({i, i + 1}));
    ASSERT_NE(memo.find(name), nullptr);
    EXPECT_EQ(*memo.find(name), keys({i, i + 1}));
  }
  for (int i = 0; i < 1000; ++i) {
    if (memo.find(fmt::format("@user{}:h", i)) != nullptr) ++remembered;
  }
  EXPECT_GT(remembered, 0U);
  EXPECT_LT(remembered, 100U);
}

TEST(ServiceSet, stays_in_order_without_repetition) {
  ServiceSet set;
  add_services(set, keys({2, 4}));
  EXPECT_EQ(set, keys({2, 4}));
  add_services(set, keys({}));
  add_services(set, keys({4}));
  EXPECT_EQ(set, keys({2, 4}));
  add_services(set, keys({1, 4, 5}));
  EXPECT_EQ(set, keys({1, 2, 4, 5}));
}

}  // namespace
}  // namespace postrider
