#include "postrider/api/http/internal/http_request_parser.hpp"

#include <memory_resource>

#include <gtest/gtest.h>

namespace postrider {
namespace {

constexpr std::size_t large_body_bytes = 1 << 20;
constexpr std::size_t kept_capacity_max = 128 * 1024;

class HttpRequestParserTest : public testing::Test {
 protected:
  /// Reads one whole request, as a connection does.
  void read(std::string bytes) {
    parser_.begin(request_);
    HttpRequestParser::Fed fed = parser_.feed(bytes);
    if (fed.state == HttpRequestParser::State::head_done) {
      parser_.allow_body(large_body_bytes);
      fed = parser_.feed(bytes.substr(fed.consumed));
    }
    ASSERT_EQ(fed.state, HttpRequestParser::State::done);
  }

  std::pmr::monotonic_buffer_resource memory_;
  HttpRequestParser parser_{1024};
  HttpServerRequest request_{memory_};
};

TEST_F(HttpRequestParserTest, an_idle_connection_does_not_keep_a_large_body) {
  read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" +
       std::string(large_body_bytes, 'x'));
  EXPECT_EQ(request_.body.size(), large_body_bytes);
  parser_.begin(request_);
  EXPECT_LE(request_.body.capacity(), kept_capacity_max);
}

TEST_F(HttpRequestParserTest, nothing_of_the_request_before_is_left) {
  read("POST /a?b=c HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(request_.header("x-a"), "1");
  parser_.begin(request_);
  memory_.release();
  read("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request_.header("x-a"), std::nullopt);
  EXPECT_EQ(request_.query_parameter("b"), std::nullopt);
  EXPECT_TRUE(request_.body.empty());
}

}  // namespace
}  // namespace postrider
