#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/runtime/async.hpp"

namespace postrider {

struct HttpRequest {
  std::string method;  ///< "PUT", "GET", …
  std::string url;     ///< absolute, http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<const std::string> body;  ///< may be null
  Duration timeout{};                       ///< from the call to the last byte of the answer
};

struct HttpResponse {
  int status = 0;
  std::string body;  ///< at most the client's configured prefix; the rest was not read
  bool body_cut = false;
  std::optional<Duration> retry_after;  ///< from now, as the Retry-After header says; above zero
};

/// Outgoing HTTP. Never follows a redirect. Keeps connections alive between requests to one host.
class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;

  /// Any status is a value. Errors: `deadline`, `connection_failed` (name not found, refused,
  /// reset, an answer that ends early or is not HTTP), `address_refused` (outbound policy),
  /// `stopping`. Called, and completes, on the engine thread.
  virtual Async<Result<HttpResponse>> send(HttpRequest request) = 0;
};

}  // namespace postrider
