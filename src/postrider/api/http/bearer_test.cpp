#include "postrider/api/http/bearer.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

const BearerTokens& tokens() {
  static const BearerTokens made({"root", ""}, {"p1", "p2"});
  return made;
}

std::optional<Code> refusal(Role required, std::optional<std::string_view> authorization) {
  const auto checked = tokens().check(required, authorization);
  if (checked) return std::nullopt;
  return checked.error().code;
}

TEST(BearerTokens, let_each_role_do_what_smaller_roles_may) {
  EXPECT_EQ(refusal(Role::none, std::nullopt), std::nullopt);
  EXPECT_EQ(refusal(Role::producer, "Bearer p1"), std::nullopt);
  EXPECT_EQ(refusal(Role::producer, "Bearer p2"), std::nullopt);
  EXPECT_EQ(refusal(Role::producer, "Bearer root"), std::nullopt);
  EXPECT_EQ(refusal(Role::admin, "Bearer root"), std::nullopt);
}

TEST(BearerTokens, forbid_what_the_role_may_not_do) {
  EXPECT_EQ(refusal(Role::admin, "Bearer p1"), Code::forbidden);
}

TEST(BearerTokens, refuse_unknown_tokens) {
  EXPECT_EQ(refusal(Role::producer, "Bearer p"), Code::unauthorized);
  EXPECT_EQ(refusal(Role::producer, "Bearer p1x"), Code::unauthorized);
  EXPECT_EQ(refusal(Role::producer, "Bearer P1"), Code::unauthorized);
}

TEST(BearerTokens, refuse_headers_that_hold_no_bearer_token) {
  EXPECT_EQ(refusal(Role::producer, std::nullopt), Code::unauthorized);
  for (const std::string_view header : {"", "Bearer", "Bearer ", "Bearerp1", "Basic p1", "p1"}) {
    EXPECT_EQ(refusal(Role::producer, header), Code::unauthorized) << header;
  }
}

TEST(BearerTokens, take_the_scheme_in_any_case) {
  EXPECT_EQ(refusal(Role::producer, "bEARER  p1"), std::nullopt);
}

TEST(BearerTokens, let_nobody_in_when_there_are_none) {
  EXPECT_FALSE(BearerTokens().check(Role::producer, "Bearer "));
  EXPECT_FALSE(BearerTokens({}, {""}).check(Role::producer, "Bearer x"));
}

TEST(BearerTokens, do_not_show_the_token_in_the_error) {
  const auto checked = tokens().check(Role::producer, "Bearer wrong-secret");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().detail.find("wrong-secret"), std::string::npos);
}

}  // namespace
}  // namespace postrider
