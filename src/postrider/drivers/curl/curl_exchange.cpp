#include "postrider/drivers/curl/curl_exchange.hpp"

#include <memory>

#include "postrider/drivers/curl/curl_easy.hpp"

namespace postrider {
namespace {

constexpr long connect_timeout_seconds = 10;
constexpr std::size_t answer_bytes_max = 256 * 1024 * 1024;

std::unexpected<Error> failure(CURLcode outcome, const ApiRequest& request) {
  switch (outcome) {
    case CURLE_ABORTED_BY_CALLBACK:
      return fail(Code::stopping, "interrupted");
    case CURLE_WRITE_ERROR:
      if (request.on_body) return fail(Code::stopping, "interrupted");
      return fail(Code::bad_status, "the answer of {} is over {} bytes", request.url,
                  answer_bytes_max);
    case CURLE_OPERATION_TIMEDOUT:
      return fail(Code::deadline, "{} did not answer in time", request.url);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return fail(Code::invalid_argument,
                  "\"{}\" is not a URL; allowed: http://HOST:PORT or "
                  "https://HOST",
                  request.url);
    default:
      return fail(Code::connection_failed, "cannot reach {}: {}", request.url,
                  curl_easy_strerror(outcome));
  }
}

CurlEasy::Headers headers_of(const ApiRequest& request) {
  CurlEasy::Headers headers;
  if (!request.token.empty()) headers.emplace_back("Authorization", "Bearer " + request.token);
  if (!request.content_type.empty()) headers.emplace_back("Content-Type", request.content_type);
  headers.insert(headers.end(), request.headers.begin(), request.headers.end());
  return headers;
}

class CurlExchange {
 public:
  explicit CurlExchange(std::function<bool()> interrupted) : interrupted_(std::move(interrupted)) {
    easy_.set(CURLOPT_CONNECTTIMEOUT, connect_timeout_seconds);
    easy_.set(CURLOPT_WRITEFUNCTION, &CurlExchange::on_body);
    easy_.set(CURLOPT_WRITEDATA, this);
    easy_.set(CURLOPT_NOPROGRESS, 0L);
    easy_.set(CURLOPT_XFERINFOFUNCTION, &CurlExchange::on_progress);
    easy_.set(CURLOPT_XFERINFODATA, this);
  }

  Result<ApiAnswer> send(const ApiRequest& request) {
    request_ = &request;
    answer_ = {};
    if (!easy_.set_target(request.method, request.url)) {
      return failure(CURLE_URL_MALFORMAT, request);
    }
    if (!easy_.set_headers(headers_of(request))) {
      return fail(Code::invalid_argument,
                  "the token or a header has a line break in it: write it in one line");
    }
    easy_.set_body(request.method, request.body.empty()
                                       ? std::nullopt
                                       : std::optional<std::string_view>(request.body));
    const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout);
    easy_.set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    const CURLcode outcome = curl_easy_perform(easy_.get());
    if (outcome != CURLE_OK) return failure(outcome, request);
    answer_.status = easy_.status();
    answer_.retry_after = easy_.retry_after();
    const char* type = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) answer_.content_type = type;
    return std::move(answer_);
  }

 private:
  std::size_t take_body(std::string_view part) {
    const bool good = easy_.status() / 100 == 2;
    if (good && request_->on_body) return request_->on_body(part) ? part.size() : 0;
    if (answer_.body.size() + part.size() > answer_bytes_max) return 0;
    answer_.body += part;
    return part.size();
  }

  static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* self) {
    return static_cast<CurlExchange*>(self)->take_body({bytes, count});
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<CurlExchange*>(self)->interrupted_() ? 1 : 0;
  }

  std::function<bool()> interrupted_;
  const ApiRequest* request_ = nullptr;
  ApiAnswer answer_;
  CurlEasy easy_{"postrider/" POSTRIDER_VERSION};
};

}  // namespace

Exchange curl_exchange(std::function<bool()> interrupted) {
  const auto exchange = std::make_shared<CurlExchange>(std::move(interrupted));
  return [exchange](const ApiRequest& request) { return exchange->send(request); };
}

}  // namespace postrider
