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

enum class Answer { none, yes, no };

/// What the engine's thread says, asked for again and again: who waits for the answer itself would
/// wait for as long as the engine hangs.
Async<Answer> ask_engine(Runtime* runtime, std::function<bool()> question) {
  const auto said = std::make_shared<std::atomic<Answer>>(Answer::none);
  asio::post(runtime->executor(), [said, question = std::move(question)] {
    *said = question() ? Answer::yes : Answer::no;
  });
  asio::steady_timer timer(co_await asio::this_coro::executor);
  Duration pause = std::chrono::milliseconds{1};
  for (Duration waited{}; waited < health_wait; waited += pause) {
    if (*said != Answer::none) break;
    pause = std::min({2 * pause, pause_max, health_wait - waited});
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return said->load();
}

HttpServerResponse plain(int status, std::string text) {
  HttpServerResponse response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(text);
  return response;
}

Async<HttpServerResponse> health(Runtime* runtime) {
  std::function<bool()> is_there = [] { return true; };
  const Answer answer = co_await ask_engine(runtime, std::move(is_there));
  co_return answer == Answer::yes ? plain(200, "ok\n") : plain(503, "the engine does not answer\n");
}

Async<HttpServerResponse> readiness(Runtime* runtime, std::function<bool()> is_ready) {
  const Answer answer = co_await ask_engine(runtime, std::move(is_ready));
  co_return answer == Answer::yes ? plain(200, "ready\n") : plain(503, "not ready\n");
}

}  // namespace

void add_health_routes(HttpRouter& router, Runtime& runtime, std::function<bool()> is_ready) {
  HttpRoute live{"GET", "/healthz", Role::none, 0};
  live.handler = [&runtime](HttpServerRequest&) { return health(&runtime); };
  router.add(std::move(live));
  HttpRoute ready{"GET", "/readyz", Role::none, 0};
  ready.handler = [&runtime, is_ready = std::move(is_ready)](HttpServerRequest&) {
    return readiness(&runtime, is_ready);
  };
  router.add(std::move(ready));
}

}  // namespace postrider
