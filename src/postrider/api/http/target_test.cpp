#include "postrider/api/http/target.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

using Segments = std::vector<std::string>;

TEST(Target, splits_the_path_and_decodes_its_segments) {
  HttpServerRequest request;
  ASSERT_TRUE(parse_target("/v1/a%20b%2Fc/+?x=1", request));
  EXPECT_EQ(request.path, "/v1/a%20b%2Fc/+");
  EXPECT_EQ(request.segments, (Segments{"v1", "a b/c", "+"}));
}

TEST(Target, keeps_empty_segments) {
  HttpServerRequest request;
  ASSERT_TRUE(parse_target("/", request));
  EXPECT_EQ(request.segments, Segments{});
  ASSERT_TRUE(parse_target("/a//b/", request));
  EXPECT_EQ(request.segments, (Segments{"a", "", "b", ""}));
}

TEST(Target, decodes_the_query_as_forms_do) {
  HttpServerRequest request;
  ASSERT_TRUE(parse_target("/f?after=s1%7E2&note=a+b%2B&flag&&empty=", request));
  EXPECT_EQ(request.query_parameter("after"), "s1~2");
  EXPECT_EQ(request.query_parameter("note"), "a b+");
  EXPECT_EQ(request.query_parameter("flag"), "");
  EXPECT_EQ(request.query_parameter("empty"), "");
  EXPECT_EQ(request.query_parameter("limit"), std::nullopt);
}

TEST(Target, refuses_a_query_parameter_that_stands_twice) {
  HttpServerRequest request;
  const auto parsed = parse_target("/f?limit=1&l%69mit=2", request);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Code::invalid_argument);
  EXPECT_EQ(parsed.error().detail, "query parameter \"limit\" is given twice: give it once");
}

TEST(Target, refuses_a_percent_sign_without_two_digits) {
  HttpServerRequest request;
  EXPECT_FALSE(parse_target("/a%2", request));
  EXPECT_FALSE(parse_target("/a%zz", request));
  EXPECT_FALSE(parse_target("/a%2z", request));
  EXPECT_FALSE(parse_target("/a?b=%", request));
}

TEST(Target, takes_the_absolute_form_that_proxies_send) {
  HttpServerRequest request;
  ASSERT_TRUE(parse_target("http://host:80/a/b?c=d", request));
  EXPECT_EQ(request.path, "/a/b");
  EXPECT_EQ(request.query_parameter("c"), "d");
  ASSERT_TRUE(parse_target("http://host", request));
  EXPECT_EQ(request.path, "/");
}

TEST(HttpServerRequest, finds_the_first_header_of_a_name_without_regard_to_case) {
  HttpServerRequest request;
  request.headers.insert("Content-Type", "text/plain");
  request.headers.insert("X-A", "1");
  request.headers.insert("x-a", "2");
  EXPECT_EQ(request.header("content-TYPE"), "text/plain");
  EXPECT_EQ(request.header("X-a"), "1");
  EXPECT_EQ(request.header("X"), std::nullopt);
}

}  // namespace
}  // namespace postrider
