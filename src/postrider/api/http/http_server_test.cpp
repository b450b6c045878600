#include "postrider/api/http/http_server.hpp"

#include <thread>
#include <vector>

#include "postrider/api/http/testing/http_server_world.hpp"

namespace postrider {
namespace {

TEST_F(HttpServerTest, answers_requests_on_one_connection_one_after_the_other) {
  start();
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send(get_hello);
    const RawResponse response = client.response();
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.has("Content-Type: application/json\r\n"));
    EXPECT_FALSE(response.has("Connection:"));
    EXPECT_EQ(response.body, "\"hello from /hello/a\"");
  }
}

TEST_F(HttpServerTest, answers_pipelined_requests_in_order) {
  start();
  RawClient client(server->port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"
      "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"
      "\r\nPOST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo"
      "GET /hello/a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.response().body, "one");
  EXPECT_EQ(client.response().status, 404);
  EXPECT_EQ(client.response().body, "two");
  EXPECT_EQ(client.response().body, "\"hello from /hello/a\"");
}

TEST_F(HttpServerTest, understands_a_request_that_comes_byte_by_byte) {
  start();
  RawClient client(server->port());
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n";
  for (const char byte : request) client.send(std::string_view(&byte, 1));
  EXPECT_EQ(client.response().body, "abcde");
  client.send(get_hello);
  EXPECT_EQ(client.response().status, 200);
}

TEST_F(HttpServerTest, answers_unknown_paths_with_a_problem) {
  start();
  const RawResponse response = answer_to("GET /nothing?a=b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(response.status, 404);
  EXPECT_TRUE(response.has("Content-Type: application/problem+json\r\n"));
  EXPECT_NE(response.body.find("there is nothing at /nothing\""), std::string::npos);
  EXPECT_NE(response.body.find("\"request_id\":\"test-1\""), std::string::npos);
}

TEST_F(HttpServerTest, says_which_methods_a_path_takes) {
  start();
  const RawResponse response = answer_to("PUT /hello/a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(response.status, 405);
  EXPECT_TRUE(response.has("Allow: GET, HEAD\r\n"));
}

TEST_F(HttpServerTest, refuses_a_request_without_a_right_before_its_body) {
  start();
  RawClient client(server->port());
  client.send(
      "POST /facts HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
  const RawResponse response = client.response();
  EXPECT_EQ(response.status, 401);
  EXPECT_TRUE(response.has("WWW-Authenticate: Bearer\r\n"));
  EXPECT_TRUE(response.has("Connection: close\r\n"));
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerTest, knows_producers_from_admins) {
  start();
  const std::string admin = "GET /admin HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ";
  EXPECT_EQ(answer_to(admin + "writer\r\n\r\n").status, 403);
  EXPECT_EQ(answer_to(admin + "root\r\n\r\n").status, 200);
  const std::string facts =
      "POST /facts HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nauthorization: bearer ";
  EXPECT_EQ(answer_to(facts + "writer\r\n\r\nx").body, "x");
}

TEST_F(HttpServerTest, keeps_the_connection_when_a_refused_request_has_no_body) {
  start();
  RawClient client(server->port());
  client.send("GET /admin HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.response().status, 401);
  client.send("GET /hello/a?x=1&x=2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.response().status, 400);
  client.send(get_hello);
  EXPECT_EQ(client.response().status, 200);
}

TEST_F(HttpServerTest, refuses_a_header_over_its_limit) {
  start();
  const std::string many(17'000, 'x');
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nHost: h\r\nX: " + many).status, 431);
  EXPECT_EQ(answer_to("GET /" + many).status, 431);
  std::string fields = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 100; ++i) fields += "X-" + std::string(200, 'a') + ": b\r\n";
  EXPECT_EQ(answer_to(fields + "\r\n").status, 431);
}

TEST_F(HttpServerTest, refuses_a_chunk_extension_or_a_trailer_that_does_not_end) {
  start();
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(answer_to(chunked + "3;" + std::string(40'000, 'x')).status, 431);
  EXPECT_EQ(answer_to(chunked + "0\r\nX: " + std::string(40'000, 'x')).status, 431);
}

TEST_F(HttpServerTest, answers_what_is_not_http_with_400_and_ends_the_connection) {
  start();
  for (const std::string_view request :
       {"\x16\x03\x01 TLS\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nBad Name: x\r\n\r\n", "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: "
        "chunked\r\n\r\n"}) {
    RawClient client(server->port());
    client.send(request);
    const RawResponse response = client.response();
    EXPECT_EQ(response.status, 400) << request;
    EXPECT_TRUE(response.has("application/problem+json")) << request;
    EXPECT_TRUE(client.is_ended()) << request;
  }
}

TEST_F(HttpServerTest, ends_the_connection_of_a_client_of_http_1_0_that_sends_chunks) {
  start();
  for (const bool is_chunked : {false, true}) {
    RawClient client(server->port());
    client.send("POST /echo HTTP/1.0\r\nConnection: keep-alive\r\n");
    client.send(is_chunked ? "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
                           : "Content-Length: 2\r\n\r\nok");
    EXPECT_EQ(client.response().body, "ok");
    client.send("GET /hello/a HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.response().status, is_chunked ? 0 : 200);
  }
}

TEST_F(HttpServerTest, survives_clients_that_leave_in_the_middle) {
  start();
  for (const std::string_view part : {"", "GET", "GET /hello/a HTTP/1.1\r\nHost:",
                                      "POST /echo HTTP/1.1\r\nHost: h\r\n"
                                      "Content-Length: 10\r\n\r\nhalf",
                                      "GET /megabyte HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    RawClient(server->port()).send(part);
    RawClient resetting(server->port());
    resetting.send(part);
    resetting.reset();
    RawClient half_closing(server->port());
    half_closing.send(part);
    half_closing.end_sending();
  }
  EXPECT_EQ(answer_to(get_hello).status, 200);
}

TEST_F(HttpServerTest, answers_a_client_that_sends_nothing_more) {
  start();
  RawClient client(server->port());
  client.send(get_hello);
  client.end_sending();
  EXPECT_EQ(client.response().status, 200);
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerTest, answers_head_without_a_body) {
  start();
  RawClient client(server->port());
  for (const auto& [path, length] : {std::pair{"/hello/a", 21}, {"/megabyte", 1024 * 1024}}) {
    client.send(fmt::format("HEAD {} HTTP/1.1\r\nHost: h\r\n\r\n", path));
    const std::string head = client.read_through("\r\n\r\n");
    EXPECT_NE(head.find(fmt::format("Content-Length: {}\r\n", length)), std::string::npos) << head;
    client.send(get_hello);
    EXPECT_EQ(client.response().body, "\"hello from /hello/a\"");
  }
}

TEST_F(HttpServerTest, gives_204_no_length) {
  start();
  RawClient client(server->port());
  client.send("DELETE /empty HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read_through("\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
  client.send(get_hello);
  EXPECT_EQ(client.response().status, 200);
}

TEST_F(HttpServerTest, ends_the_connection_when_the_client_asks_for_it) {
  start();
  RawClient client(server->port());
  client.send("GET /hello/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.response().has("Connection: close\r\n"));
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerTest, serves_http_1_0) {
  start();
  RawClient closing(server->port());
  closing.send("GET /hello/a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(closing.response().status, 200);
  EXPECT_TRUE(closing.is_ended());
  RawClient keeping(server->port());
  keeping.send("GET /hello/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(keeping.response().has("Connection: keep-alive\r\n"));
  keeping.send(get_hello);
  EXPECT_EQ(keeping.response().status, 200);
}

TEST_F(HttpServerTest, answers_500_when_a_handler_throws) {
  start();
  RawClient client(server->port());
  client.send("GET /broken HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawResponse response = client.response();
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("planted"), std::string::npos);
  client.send(get_hello);
  EXPECT_EQ(client.response().status, 200);
}

TEST_F(HttpServerTest, can_end_the_connection_without_an_answer) {
  start();
  RawClient client(server->port());
  client.send("GET /silent HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.is_ended());
}

/// For more pages than a socket's buffers hold.
constexpr int many_pages = 1500;
std::string requests_for_many_pages() {
  std::string requests;
  for (int i = 0; i < many_pages; ++i) requests += "GET /page HTTP/1.1\r\nHost: h\r\n\r\n";
  return requests;
}

TEST_F(HttpServerTest, sends_answers_to_a_client_that_reads_none_until_it_has_asked_for_all) {
  start();
  RawClient client(server->port());
  client.send(requests_for_many_pages());
  const std::string whole(8000, 'p');
  for (int i = 0; i < many_pages; ++i) ASSERT_EQ(client.response().body, whole) << i;
}

TEST_F(HttpServerTest, ends_the_connection_of_a_client_that_does_not_read_its_answers) {
  HttpServerSettings settings;
  settings.write_timeout = std::chrono::seconds{1};
  settings.connections_max = 1;
  start(settings);
  RawClient deaf(server->port());
  deaf.send(requests_for_many_pages());
  // 503 while the other one is there and does not wait for a request.
  ASSERT_TRUE(eventually([this] { return answer_to(get_hello).status == 503; }));
  ASSERT_TRUE(eventually([this] { return answer_to(get_hello).status == 200; }));
  int answers = 0;
  while (deaf.response().status == 200) ++answers;
  EXPECT_LT(answers, many_pages);
}

TEST_F(HttpServerTest, a_handler_may_take_longer_than_the_client) {
  HttpServerSettings settings;
  settings.idle_timeout = std::chrono::milliseconds{20};
  settings.read_timeout = std::chrono::milliseconds{20};
  start(settings);
  EXPECT_EQ(answer_to("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").body, "\"late\"");
}

TEST_F(HttpServerTest, serves_many_clients_with_several_threads) {
  HttpServerSettings settings;
  settings.threads = 3;
  start(settings);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      RawClient client(server->port());
      for (int n = 0; n < 50; ++n) {
        client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nsame");
        EXPECT_EQ(client.response().body, "same");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace postrider
