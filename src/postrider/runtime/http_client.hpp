#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/runtime/async.hpp"
#include "postrider/runtime/http_body.hpp"
#include "postrider/runtime/send_permit.hpp"

namespace postrider {

struct HttpRequest {
  std::string method;  ///< "PUT", "GET", …
  std::string url;     ///< absolute, http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<const HttpBody> body;  ///< may be null
  Duration timeout{};    ///< from its turn, if it waits for a connection, to the answer's last byte
  bool may_wait = true;  ///< for a connection, when all that there may be are in use
  bool fresh_connection = false;  ///< not on one that was kept alive
  /// Nothing is sent unless it holds when the connection is there. Null: it always may be sent.
  std::shared_ptr<const SendPermit> permit;
};

struct HttpResponse {
  int status = 0;
  std::string body;  ///< at most the client's configured prefix; the rest was not read
  bool body_cut = false;
  std::optional<Duration> retry_after;  ///< from now, as the Retry-After header says; above zero
};

/// Outgoing HTTP. Never follows a redirect. Keeps connections alive between requests to one host.
/// Sends a request once at most: whoever wants it sent again calls again.
class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;

  /// Any status is a value. Errors: `deadline`, `connection_failed` (name not found, refused,
  /// reset, an answer that ends early or is not HTTP), `connection_lost` (a connection that was
  /// kept alive ended before the first line of an answer, as when the receiver closes it just then;
  /// it may have got the request or not; never with `fresh_connection`), `address_refused`
  /// (outbound policy), `session_ended` (not sent: the permit held no more), `overloaded` (not
  /// sent: without `may_wait`), `stopping`. Called, and completes, on the engine thread.
  virtual Async<Result<HttpResponse>> send(HttpRequest request) = 0;
};

}  // namespace postrider
