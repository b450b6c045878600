#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "postrider/api/http/http_server.hpp"
#include "postrider/api/http/testing/raw_client.hpp"

namespace postrider {

namespace handlers {

inline Async<HttpServerResponse> hello(HttpServerRequest& request) {
  co_return json_response(200, "\"hello from " + request.path + "\"");
}

inline Async<HttpServerResponse> echo(HttpServerRequest& request) {
  EXPECT_GE(request.body.capacity(), request.body.size() + 64);
  co_return json_response(200, std::move(request.body));
}

inline Async<HttpServerResponse> broken(HttpServerRequest& request) {
  if (!request.path.empty()) throw std::runtime_error("planted");
  co_return HttpServerResponse();
}

inline Async<HttpServerResponse> empty(HttpServerRequest&) {
  HttpServerResponse response;
  response.status = 204;
  co_return response;
}

inline Async<HttpServerResponse> megabyte(HttpServerRequest&) {
  co_return json_response(200, std::string(1024 * 1024, 'm'));
}

inline Async<HttpServerResponse> page(HttpServerRequest&) {
  co_return json_response(200, std::string(8000, 'p'));
}

inline Async<HttpServerResponse> slow(HttpServerRequest&) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  std::chrono::milliseconds{100});
  co_await timer.async_wait(boost::asio::use_awaitable);
  co_return json_response(200, "\"late\"");
}

inline Async<HttpServerResponse> silent(HttpServerRequest&) {
  HttpServerResponse response;
  response.close_without_answer = true;
  co_return response;
}

}  // namespace handlers

inline HttpRouter example_router() {
  HttpRouter router;
  router.add({"GET", "/hello/{name}", Role::none, 0, handlers::hello});
  router.add({"GET", "/broken", Role::none, 0, handlers::broken});
  router.add({"GET", "/megabyte", Role::none, 0, handlers::megabyte});
  router.add({"GET", "/page", Role::none, 0, handlers::page});
  router.add({"GET", "/slow", Role::none, 0, handlers::slow});
  router.add({"GET", "/silent", Role::none, 0, handlers::silent});
  router.add({"DELETE", "/empty", Role::none, 0, handlers::empty});
  router.add({"POST", "/echo", Role::none, 100'000, handlers::echo});
  router.add({"POST", "/facts", Role::producer, 100'000, handlers::echo});
  router.add({"GET", "/admin", Role::admin, 0, handlers::hello});
  return router;
}

/// A server on a free port, with handlers of every sort.
class HttpServerTest : public ::testing::Test {
 protected:
  void start(HttpServerSettings settings = {}) {
    settings.request_id_prefix = "test";
    HttpRouter router = example_router();
    router.add({"GET", "/held", Role::none, 0, [this](HttpServerRequest&) { return hold(); }});
    router.add({"GET", "/watching", Role::none, 0,
                [this](HttpServerRequest& request) { return watch(request); }});
    server.emplace(std::move(settings), std::move(router), BearerTokens({"root"}, {"writer"}));
    const auto started = server->start();
    ASSERT_TRUE(started) << started.error().detail;
  }

  RawResponse answer_to(std::string_view request) {
    RawClient client(server->port());
    client.send(request);
    return client.response();
  }

  /// False when it does not come true in ten seconds.
  static bool eventually(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }
  /// The answer of /held, once it is released.
  Async<HttpServerResponse> hold() {
    ++held;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!released) {
      timer.expires_after(std::chrono::milliseconds{1});
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return json_response(200, "\"held\"");
  }
  /// The answer of /watching, once the client has gone.
  Async<HttpServerResponse> watch(HttpServerRequest& request) {
    request.watch_client([this] { released = true; });
    co_return co_await hold();
  }
  /// A client whose request is being answered.
  std::unique_ptr<RawClient> held_client() {
    const int before = held;
    auto client = std::make_unique<RawClient>(server->port());
    client->send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return held != before; }));
    return client;
  }
  /// A client that has shown a token, and waits.
  std::unique_ptr<RawClient> authenticated_client() {
    auto client = std::make_unique<RawClient>(server->port());
    client->send(post_fact);
    EXPECT_EQ(client->response().status, 200);
    return client;
  }
  static constexpr std::string_view post_fact =
      "POST /facts HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer writer\r\nContent-Length: "
      "2\r\n\r\n{}";

  std::atomic<int> held = 0;
  std::atomic<bool> released = false;
  std::optional<HttpServer> server;
};

inline constexpr std::string_view get_hello = "GET /hello/a HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace postrider
