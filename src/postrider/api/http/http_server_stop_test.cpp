#include <future>
#include <memory>
#include <optional>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "postrider/api/http/http_server.hpp"
#include "postrider/api/http/testing/raw_client.hpp"

namespace postrider {
namespace {

namespace asio = boost::asio;

constexpr Duration long_grace = std::chrono::seconds{30};

/// Holds one coroutine of the server until it is let go.
class Hold {
 public:
  /// On the server.
  Async<void> wait() {
    const auto executor = co_await asio::this_coro::executor;
    timer_.emplace(executor, asio::steady_timer::time_point::max());
    reached_.set_value();
    boost::system::error_code cancelled;
    co_await timer_->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  void let_go_here() { timer_->cancel(); }
  /// The server must have been stopped.
  void forget() { timer_.reset(); }

  /// In the test.
  void wait_until_reached() { reached_.get_future().wait(); }
  void let_go() {
    asio::post(timer_->get_executor(), [this] { let_go_here(); });
  }

 private:
  std::optional<asio::steady_timer> timer_;
  std::promise<void> reached_;
};

class HttpServerStop : public ::testing::Test {
 protected:
  HttpServerStop() { start(HttpServerSettings()); }
  void start(HttpServerSettings settings) {
    HttpRouter router;
    router.add({"GET", "/held", Role::none, 0,
                [this](HttpServerRequest& request) { return held(request); }});
    router.add({"GET", "/count", Role::none, 0,
                [this](HttpServerRequest& request) { return count(request); }});
    router.add({"GET", "/wait", Role::none, 0,
                [this](HttpServerRequest& request) { return wait_for_end(request); }});
    router.add({"GET", "/flood", Role::none, 0,
                [this](HttpServerRequest& request) { return flood(request); }});
    server.emplace(std::move(settings), std::move(router), BearerTokens());
    EXPECT_TRUE(server->start());
  }
  ~HttpServerStop() override {
    server->stop(Duration::zero());
    hold.forget();
  }

  Async<HttpServerResponse> held(HttpServerRequest&) {
    co_await hold.wait();
    co_return json_response(200, "\"held\"");
  }

  Async<void> write_two(ResponseStream& stream) {
    for (const std::string_view text : {"data: 1\n\n", "", "data: 2\n\n"}) {
      std::string piece(text);
      const Result<void> written = co_await stream.write(piece);
      EXPECT_TRUE(written);
    }
  }
  Async<HttpServerResponse> count(HttpServerRequest&) {
    HttpServerResponse response;
    response.content_type = "text/event-stream";
    response.source = [this](ResponseStream& stream) { return write_two(stream); };
    co_return response;
  }

  Async<void> write_and_wait(ResponseStream& stream) {
    const Result<void> first = co_await stream.write("first");
    EXPECT_TRUE(first);
    stream.on_end([this] { hold.let_go_here(); });
    co_await hold.wait();
    EXPECT_TRUE(stream.ended());
    const Result<void> late = co_await stream.write("late");
    EXPECT_FALSE(late);
    source_end.set_value(late ? Code::internal : late.error().code);
  }
  Async<HttpServerResponse> wait_for_end(HttpServerRequest&) {
    HttpServerResponse response;
    response.source = [this](ResponseStream& stream) { return write_and_wait(stream); };
    co_return response;
  }

  Async<void> write_until_refused(ResponseStream& stream) {
    Result<void> written;
    const std::string piece(100'000, 'f');
    while (written) written = co_await stream.write(piece);
    source_end.set_value(written.error().code);
  }
  Async<HttpServerResponse> flood(HttpServerRequest&) {
    HttpServerResponse response;
    response.source = [this](ResponseStream& stream) { return write_until_refused(stream); };
    co_return response;
  }

  Hold hold;
  std::promise<Code> source_end;
  std::optional<HttpServer> server;
};

std::string get(std::string_view path, std::string_view version = "1.1") {
  return fmt::format("GET {} HTTP/{}\r\nHost: h\r\n\r\n", path, version);
}

TEST_F(HttpServerStop, ends_idle_connections_and_lets_a_request_in_flight_finish) {
  RawClient idle(server->port());
  RawClient busy(server->port());
  busy.send(get("/held"));
  hold.wait_until_reached();
  auto stopped = std::async(std::launch::async, [this] { server->stop(long_grace); });
  EXPECT_TRUE(idle.is_ended());
  hold.let_go();
  const RawResponse response = busy.response();
  EXPECT_EQ(response.body, "\"held\"");
  EXPECT_TRUE(response.has("Connection: close\r\n"));
  EXPECT_TRUE(busy.is_ended());
  stopped.wait();
}

TEST_F(HttpServerStop, ends_a_request_that_is_not_done_within_the_grace) {
  RawClient busy(server->port());
  busy.send(get("/held"));
  hold.wait_until_reached();
  server->stop(Duration::zero());
  EXPECT_TRUE(busy.is_ended());
}

TEST_F(HttpServerStop, may_be_called_twice) {
  server->stop(long_grace);
  server->stop(long_grace);
}

TEST(HttpServer, does_not_start_after_it_was_stopped) {
  HttpServer server({}, HttpRouter(), BearerTokens());
  server.stop(long_grace);
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::stopping);
}

TEST_F(HttpServerStop, streamed_answer_comes_in_chunks_and_keeps_the_connection) {
  RawClient client(server->port());
  for (int i = 0; i < 2; ++i) {
    client.send(get("/count"));
    EXPECT_TRUE(client.response().has("Transfer-Encoding: chunked\r\n"));
    EXPECT_EQ(client.read_through("0\r\n\r\n"),
              "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n");
  }
}

TEST_F(HttpServerStop, streamed_answer_to_http_1_0_ends_with_the_connection) {
  RawClient client(server->port());
  client.send(get("/count", "1.0"));
  EXPECT_TRUE(client.response().has("Connection: close\r\n"));
  EXPECT_EQ(client.read_through("data: 2\n\n"), "data: 1\n\ndata: 2\n\n");
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerStop, streamed_answer_has_no_body_for_head) {
  RawClient client(server->port());
  client.send("HEAD /count HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.response().status, 200);
  client.send(get("/count"));
  EXPECT_EQ(client.response().status, 200);
  EXPECT_FALSE(client.read_through("0\r\n\r\n").empty());
}

TEST_F(HttpServerStop, source_that_waits_learns_that_the_client_has_gone) {
  {
    RawClient client(server->port());
    client.send(get("/wait"));
    EXPECT_FALSE(client.read_through("first\r\n").empty());
    hold.wait_until_reached();
  }
  EXPECT_EQ(source_end.get_future().get(), Code::connection_failed);
}

TEST_F(HttpServerStop, source_that_writes_learns_that_the_client_has_gone) {
  RawClient client(server->port());
  client.send(get("/flood"));
  EXPECT_FALSE(client.read_through("fff").empty());
  client.reset();
  EXPECT_EQ(source_end.get_future().get(), Code::connection_failed);
}

TEST_F(HttpServerStop, source_that_writes_learns_that_the_client_does_not_read) {
  HttpServerSettings settings;
  settings.write_timeout = std::chrono::milliseconds{20};
  start(std::move(settings));
  RawClient client(server->port());
  client.send(get("/flood"));
  EXPECT_EQ(source_end.get_future().get(), Code::connection_failed);
}

TEST_F(HttpServerStop, source_that_waits_learns_of_the_stop_and_ends_its_answer) {
  RawClient client(server->port());
  client.send(get("/wait"));
  hold.wait_until_reached();
  server->stop(long_grace);
  EXPECT_EQ(source_end.get_future().get(), Code::stopping);
  EXPECT_FALSE(client.read_through("first\r\n0\r\n\r\n").empty());
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerStop, a_client_that_does_not_read_cannot_hold_it_up) {
  RawClient client(server->port());
  client.send(get("/flood"));
  EXPECT_FALSE(client.read_through("fff").empty());
  server->stop(Duration::zero());
  const Code end = source_end.get_future().get();
  EXPECT_TRUE(end == Code::stopping || end == Code::connection_failed);
}

}  // namespace
}  // namespace postrider
