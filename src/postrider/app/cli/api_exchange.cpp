#include "postrider/app/cli/api_exchange.hpp"

#include <charconv>
#include <memory>

#include <curl/curl.h>

namespace postrider {
namespace {

constexpr long connect_timeout_seconds = 10;
constexpr std::size_t answer_bytes_max = 256 * 1024 * 1024;

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// What the callbacks of one transfer work on.
struct Transfer {
  CURL* handle = nullptr;
  const ApiRequest* request = nullptr;
  const std::function<bool()>* interrupted = nullptr;
  ApiAnswer answer;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  long status = 0;
  curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
  const bool good = status >= 200 && status < 300;
  if (good && transfer.request->on_body) {
    return transfer.request->on_body({data, size}) ? size : 0;
  }
  if (transfer.answer.body.size() + size > answer_bytes_max) return 0;
  transfer.answer.body.append(data, size);
  return size;
}

int watch(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const Transfer& transfer = *static_cast<const Transfer*>(user);
  return (*transfer.interrupted)() ? 1 : 0;
}

class CurlExchange {
 public:
  explicit CurlExchange(std::function<bool()> interrupted)
      : interrupted_(std::move(interrupted)), handle_(curl_easy_init()) {}

  Result<ApiAnswer> operator()(const ApiRequest& request) {
    if (!handle_) return fail(Code::internal, "libcurl does not start");
    CURL* const handle = handle_.get();
    curl_easy_reset(handle);  // keeps the connection
    Transfer transfer{handle, &request, &interrupted_, {}};
    set_request(request);
    const auto headers = header_list(request);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    set_callbacks(transfer);
    const CURLcode outcome = curl_easy_perform(handle);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, nullptr);
    if (outcome != CURLE_OK) return failure(outcome, request);
    return finished(std::move(transfer.answer));
  }

 private:
  void set_request(const ApiRequest& request) {
    CURL* const handle = handle_.get();
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout).count();
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "postrider/" POSTRIDER_VERSION);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, connect_timeout_seconds);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
    if (request.body.empty() && request.method != "POST" && request.method != "PUT") return;
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.c_str());
  }

  void set_callbacks(Transfer& transfer) {
    CURL* const handle = handle_.get();
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
  }

  static std::unique_ptr<curl_slist, CurlDeleter> header_list(const ApiRequest& request) {
    std::unique_ptr<curl_slist, CurlDeleter> list;
    const auto add = [&list](const std::string& line) {
      if (curl_slist* grown = curl_slist_append(list.get(), line.c_str())) {
        (void)list.release();
        list.reset(grown);
      }
    };
    add("Expect:");  // no 100-continue: it costs a round trip
    if (!request.token.empty()) add("Authorization: Bearer " + request.token);
    if (!request.content_type.empty()) add("Content-Type: " + request.content_type);
    for (const auto& [name, value] : request.headers) add(fmt::format("{}: {}", name, value));
    return list;
  }

  static std::unexpected<Error> failure(CURLcode outcome, const ApiRequest& request) {
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

  Result<ApiAnswer> finished(ApiAnswer answer) {
    CURL* const handle = handle_.get();
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    const char* type = nullptr;
    curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) answer.content_type = type;
    curl_off_t seconds_to_wait = 0;
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds_to_wait);
    if (seconds_to_wait > 0) answer.retry_after = std::chrono::seconds{seconds_to_wait};
    return answer;
  }

  std::function<bool()> interrupted_;
  std::unique_ptr<CURL, CurlDeleter> handle_;
};

}  // namespace

Exchange curl_exchange(std::function<bool()> interrupted) {
  const auto exchange = std::make_shared<CurlExchange>(std::move(interrupted));
  return [exchange](const ApiRequest& request) { return (*exchange)(request); };
}

}  // namespace postrider
