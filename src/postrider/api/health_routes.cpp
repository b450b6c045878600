#include "postrider/api/health_routes.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postrider {
namespace {

namespace asio = boost::asio;

constexpr Duration pause_max = std::chrono::milliseconds{50};

/// A probe that the engine's thread answers, asked for again and again: who waits for the answer
/// itself would wait for as long as the engine hangs.
Async<bool> engine_answers(Runtime* runtime) {
  const auto answered = std::make_shared<std::atomic<bool>>(false);
  asio::post(runtime->executor(), [answered] { *answered = true; });
  asio::steady_timer timer(co_await asio::this_coro::executor);
  Duration pause = std::chrono::milliseconds{1};
  for (Duration waited{}; waited < health_wait; waited += pause) {
    if (*answered) co_return true;
    pause = std::min({2 * pause, pause_max, health_wait - waited});
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return answered->load();
}

HttpServerResponse plain(int status, std::string text) {
  HttpServerResponse response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(text);
  return response;
}

Async<HttpServerResponse> health(Runtime* runtime) {
  const bool answers = co_await engine_answers(runtime);
  co_return answers ? plain(200, "ok\n") : plain(503, "the engine does not answer\n");
}

Async<HttpServerResponse> readiness(Runtime* runtime, bool is_ready) {
  const bool answers = co_await engine_answers(runtime);
  co_return answers&& is_ready ? plain(200, "ready\n") : plain(503, "not ready\n");
}

}  // namespace

void add_health_routes(HttpRouter& router, Runtime& runtime, std::function<bool()> is_ready) {
  HttpRoute live{"GET", "/healthz", Role::none, 0};
  live.handler = [&runtime](HttpServerRequest&) { return health(&runtime); };
  router.add(std::move(live));
  HttpRoute ready{"GET", "/readyz", Role::none, 0};
  ready.handler = [&runtime, is_ready = std::move(is_ready)](HttpServerRequest&) {
    return readiness(&runtime, is_ready());
  };
  router.add(std::move(ready));
}

}  // namespace postrider
