#include "postrider/drivers/curl/curl_http_client.hpp"

#include <utility>

#include "postrider/drivers/curl/curl_loop.hpp"
#include "postrider/runtime/reply.hpp"

namespace postrider {
namespace asio = boost::asio;

CurlHttpClient::CurlHttpClient(asio::any_io_executor engine, CurlHttpClientSettings settings)
    : engine_(std::move(engine)), loop_(std::make_unique<CurlLoop>(std::move(settings))) {}

CurlHttpClient::~CurlHttpClient() = default;

void CurlHttpClient::stop() {
  loop_->stop();
}

Async<Result<HttpResponse>> CurlHttpClient::send(HttpRequest request) {
  auto start = [this, &request](Reply<Result<HttpResponse>> done) {
    loop_->submit(std::move(request), std::move(done));
  };
  co_return co_await await_reply<Result<HttpResponse>>(engine_, start);
}

}  // namespace postrider
