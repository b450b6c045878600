#include "postrider/api/http/router.hpp"

#include <gtest/gtest.h>

#include "postrider/api/http/target.hpp"

namespace postrider {
namespace {

Async<HttpServerResponse> nothing(HttpServerRequest&) {
  HttpServerResponse response;
  co_return response;
}

HttpRoute route(std::string method, std::string path_template) {
  HttpRoute made;
  made.method = std::move(method);
  made.path_template = std::move(path_template);
  made.handler = nothing;
  return made;
}

HttpServerRequest request(std::string method, std::string_view target) {
  HttpServerRequest made;
  made.method = std::move(method);
  EXPECT_TRUE(parse_target(target, made));
  return made;
}

class HttpRouterTest : public ::testing::Test {
 protected:
  HttpRouterTest() {
    router.add(route("GET", "/v1/services/defaults"));
    router.add(route("GET", "/v1/services/{id}"));
    router.add(route("PUT", "/v1/services/{id}"));
    router.add(route("POST", "/v1/streams/{stream}/facts"));
    router.add(route("GET", "/"));
    router.add(route("PUT", "/any/{rest*}"));
  }

  std::string template_of(std::string method, std::string_view target) {
    HttpServerRequest made = request(std::move(method), target);
    const HttpRouter::Found found = router.find(made);
    return found.route == nullptr ? "none, " + found.allow : found.route->path_template;
  }

  HttpRouter router;
};

TEST_F(HttpRouterTest, finds_by_method_and_path) {
  EXPECT_EQ(template_of("POST", "/v1/streams/events/facts"), "/v1/streams/{stream}/facts");
  EXPECT_EQ(template_of("GET", "/"), "/");
}

TEST_F(HttpRouterTest, gives_parameters_decoded) {
  HttpServerRequest made = request("PUT", "/v1/services/irc%2Ftest");
  ASSERT_NE(router.find(made).route, nullptr);
  EXPECT_EQ(made.path_parameter("id"), "irc/test");
}

TEST_F(HttpRouterTest, prefers_the_route_that_was_added_first) {
  EXPECT_EQ(template_of("GET", "/v1/services/defaults"), "/v1/services/defaults");
  EXPECT_EQ(template_of("GET", "/v1/services/other"), "/v1/services/{id}");
}

TEST_F(HttpRouterTest, says_which_methods_a_path_has) {
  EXPECT_EQ(template_of("DELETE", "/v1/services/irc"), "none, GET, HEAD, PUT");
  EXPECT_EQ(template_of("DELETE", "/v1/nothing"), "none, ");
}

TEST_F(HttpRouterTest, does_not_fit_empty_missing_or_further_segments) {
  EXPECT_EQ(template_of("GET", "/v1/services/"), "none, ");
  EXPECT_EQ(template_of("GET", "/v1/services"), "none, ");
  EXPECT_EQ(template_of("GET", "/v1/services/a/b"), "none, ");
}

TEST_F(HttpRouterTest, takes_the_rest_when_the_template_says_so) {
  EXPECT_EQ(template_of("PUT", "/any/a/b/c"), "/any/{rest*}");
  EXPECT_EQ(template_of("PUT", "/any"), "none, ");
}

TEST_F(HttpRouterTest, answers_head_where_there_is_get) {
  EXPECT_EQ(template_of("HEAD", "/v1/services/irc"), "/v1/services/{id}");
}

}  // namespace
}  // namespace postrider
