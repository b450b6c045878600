#include "postrider/drivers/curl/curl_http_client.hpp"

#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "postrider/drivers/curl/curl_loop.hpp"

namespace postrider {
namespace asio = boost::asio;

CurlHttpClient::CurlHttpClient(asio::any_io_executor engine, CurlHttpClientSettings settings)
    : engine_(std::move(engine)), loop_(std::make_unique<CurlLoop>(std::move(settings))) {}

CurlHttpClient::~CurlHttpClient() = default;

void CurlHttpClient::stop() {
  loop_->stop();
}

Async<Result<HttpResponse>> CurlHttpClient::send(HttpRequest request) {
  std::optional<Result<HttpResponse>> answer;
  auto start = [this, &request, &answer](auto handler) {
    auto done = [engine = engine_, &answer,
                 handler = std::move(handler)](Result<HttpResponse> result) mutable {
      auto resume = [&answer, result = std::move(result), handler = std::move(handler)]() mutable {
        answer.emplace(std::move(result));
        std::move(handler)();
      };
      asio::post(engine, std::move(resume));
    };
    loop_->submit(std::move(request), std::move(done));
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
  co_return *std::move(answer);
}

}  // namespace postrider
