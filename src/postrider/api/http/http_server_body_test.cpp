#include "postrider/api/http/http_server.hpp"
#include "postrider/api/http/testing/http_server_world.hpp"

namespace postrider {
namespace {

TEST_F(HttpServerTest, reads_bodies_larger_than_its_buffers) {
  start();
  const std::string body(90'000, 'b');
  EXPECT_EQ(
      answer_to("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n" + body).body,
      body);
}

TEST_F(HttpServerTest, sends_bodies_larger_than_its_buffers) {
  start();
  EXPECT_EQ(answer_to("GET /megabyte HTTP/1.1\r\nHost: h\r\n\r\n").body,
            std::string(1024 * 1024, 'm'));
}

TEST_F(HttpServerTest, refuses_a_body_that_says_it_is_too_large) {
  start();
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n");
  const RawResponse response = client.response();
  EXPECT_EQ(response.status, 413);
  EXPECT_NE(response.body.find("at most 100000"), std::string::npos);
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerTest, refuses_a_chunked_body_that_grows_too_large) {
  start();
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("c350\r\n" + std::string(50'000, 'a') + "\r\nc351\r\n" + std::string(50'001, 'a'));
  EXPECT_EQ(client.response().status, 413);
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerTest, takes_a_body_up_to_its_limit) {
  start();
  EXPECT_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" +
                      std::string(100'000, 'a'))
                .status,
            200);
  EXPECT_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "186a0\r\n" +
                      std::string(100'000, 'a') + "\r\n0\r\n\r\n")
                .status,
            200);
}

TEST_F(HttpServerTest, asks_for_a_body_that_waits_to_be_asked_for) {
  start();
  RawClient client(server->port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_EQ(client.response().body, "ok");
}

TEST_F(HttpServerTest, ends_a_connection_whose_body_comes_a_byte_at_a_time) {
  HttpServerSettings settings;
  settings.read_timeout = std::chrono::milliseconds{200};
  start(settings);
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  std::atomic<bool> ended = false;
  std::thread dripping([&] {
    for (int i = 0; i < 900 && !ended; ++i) {
      client.send("x");
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  });
  EXPECT_TRUE(client.is_ended());
  ended = true;
  dripping.join();
}

TEST_F(HttpServerTest, refuses_bodies_beyond_what_all_together_may_hold) {
  HttpServerSettings settings;
  settings.bodies_bytes_max = 20'000;
  start(settings);
  const auto post = [](std::size_t bytes) {
    return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) +
           "\r\n\r\n";
  };
  const std::string half(15'000, 'x');
  RawClient first(server->port());
  first.send(post(16'000) + half);
  // Until the server has read it.
  RawResponse refused;
  while (refused.status != 503) {
    refused = answer_to(post(12'000) + std::string(12'000, 'y'));
  }
  EXPECT_TRUE(refused.has("Retry-After: 1\r\n"));
  EXPECT_NE(refused.body.find("\"overloaded\""), std::string::npos);
  first.send(std::string(1'000, 'x'));
  EXPECT_EQ(first.response().status, 200);
  first.send(get_hello);
  EXPECT_EQ(first.response().status, 200);
  // What was answered counts no more.
  EXPECT_EQ(answer_to(post(12'000) + std::string(12'000, 'y')).status, 200);
}

TEST_F(HttpServerTest, a_body_that_was_refused_counts_no_more_while_its_client_stays) {
  HttpServerSettings settings;
  settings.bodies_bytes_max = 20'000;
  start(settings);
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 30000\r\n\r\n" +
              std::string(25'000, 'x'));
  EXPECT_EQ(client.response().status, 503);
  EXPECT_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 15000\r\n\r\n" +
                      std::string(15'000, 'y'))
                .status,
            200);
}

}  // namespace
}  // namespace postrider
