#include "postrider/api/http/internal/response_head.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

std::string head_of(const HttpServerResponse& response, BodyForm form, AfterAnswer after) {
  std::string head;
  append_response_head(response, form, after, head);
  return head;
}

TEST(ResponseHead, names_the_type_the_length_and_what_comes_after) {
  const HttpServerResponse response = json_response(200, "\"four\"");
  EXPECT_EQ(head_of(response, BodyForm::sized, AfterAnswer::unsaid),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n");
  EXPECT_EQ(head_of(response, BodyForm::chunked, AfterAnswer::close),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_EQ(head_of(response, BodyForm::until_close, AfterAnswer::keep_alive),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseHead, gives_what_has_no_body_no_length) {
  HttpServerResponse response;
  response.status = 304;
  EXPECT_EQ(head_of(response, BodyForm::sized, AfterAnswer::unsaid),
            "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(ResponseHead, takes_a_status_that_it_does_not_know) {
  HttpServerResponse response;
  response.status = 299;
  EXPECT_TRUE(head_of(response, BodyForm::sized, AfterAnswer::unsaid).starts_with("HTTP/1.1 299 "));
}

TEST(ResponseHead, keeps_a_value_on_its_line) {
  HttpServerResponse response;
  response.content_type = "text/plain\r\nX-Made-Up: 1";
  response.headers = {{"Allow", "GET\nX: 2"}, {"Allow", "PUT"}};
  EXPECT_EQ(head_of(response, BodyForm::sized, AfterAnswer::unsaid),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain  X-Made-Up: 1\r\nAllow: GET X: 2\r\n"
            "Allow: PUT\r\nContent-Length: 0\r\n\r\n");
}

}  // namespace
}  // namespace postrider
