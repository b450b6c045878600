#include "postrider/api/http/problem.hpp"

#include <gtest/gtest.h>

#include "postrider/api/http/utf8.hpp"

namespace postrider {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

TEST(Problem, says_what_the_error_says) {
  Error error{Code::invalid_argument, "the registration is wrong"};
  error.fields.push_back({"/namespaces/users/0/regex", "has no closing \")\""});
  const HttpServerResponse response = problem_response(error, "ab-7");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"https://postrider.dev/problems/invalid_argument",)"
            R"("title":"Invalid request","status":400,"detail":"the registration is wrong",)"
            R"("code":"invalid_argument","request_id":"ab-7","errors":[{"pointer":)"
            R"("/namespaces/users/0/regex","detail":"has no closing \")\""}]})");
  EXPECT_EQ(response.headers, Headers{});
}

TEST(Problem, asks_for_a_token_with_401) {
  const Error error{Code::unauthorized, "no token"};
  EXPECT_EQ(problem_response(error, "").headers, (Headers{{"WWW-Authenticate", "Bearer"}}));
}

TEST(Problem, rounds_retry_after_up_to_whole_seconds) {
  Error error{Code::overloaded, "full"};
  error.retry_after = std::chrono::milliseconds{1200};
  EXPECT_EQ(problem_response(error, "").headers, (Headers{{"Retry-After", "2"}}));
  error.retry_after = Duration::zero();
  EXPECT_EQ(problem_response(error, "").headers, (Headers{{"Retry-After", "1"}}));
}

TEST(Problem, takes_a_narrower_status) {
  const Error error{Code::limit_exceeded, "header too large"};
  const HttpServerResponse response = problem_response(error, "", 431);
  EXPECT_EQ(response.status, 431);
  EXPECT_NE(response.body.find("\"status\":431"), std::string::npos);
}

TEST(Problem, stays_valid_json_whatever_the_detail_holds) {
  const Error error{Code::invalid_argument, "bad \xff\"\n\x01 byte"};
  EXPECT_NE(problem_response(error, "").body.find("bad \xef\xbf\xbd\\\"\\n\\u0001 byte"),
            std::string::npos);
}

TEST(Utf8, keeps_what_is_valid) {
  for (const std::string text : {"", "plain", "h\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf",
                                 "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xe0\xa0\x80"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(Utf8, replaces_what_is_not) {
  const std::string mark = "\xef\xbf\xbd";
  EXPECT_EQ(valid_utf8("a\x80z"), "a" + mark + "z");
  EXPECT_EQ(valid_utf8("\xc0\xaf"), mark + mark);
  EXPECT_EQ(valid_utf8("\xe2\x82"), mark);
  EXPECT_EQ(valid_utf8("\xe2\x82z"), mark + "z");
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), mark + mark + mark);
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), mark + mark + mark + mark);
  EXPECT_EQ(valid_utf8("\xe0\x9f\xbf"), mark + mark + mark);
  EXPECT_EQ(valid_utf8("\xc3"), mark);
}

}  // namespace
}  // namespace postrider
