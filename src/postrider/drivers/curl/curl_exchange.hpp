#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postrider/base/result.hpp"

namespace postrider {

/// A request to a server's API, whose sender waits for the answer.
struct ApiRequest {
  std::string method = "GET";
  std::string url;
  std::string token;         ///< empty: no Authorization header
  std::string content_type;  ///< of the body
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  /// From the call to the last byte; zero: no end.
  Duration timeout = std::chrono::seconds{60};
  /// Takes the parts of a 2xx answer's body as they come; false ends the request. Without it the
  /// body is in the answer.
  std::function<bool(std::string_view)> on_body;
};

struct ApiAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
  std::optional<Duration> retry_after;
};

/// Sends a request and waits for its answer; any status is a value. Errors: `connection_failed`,
/// `deadline`, `stopping` (a signal, or `on_body` said so), `invalid_argument` (the URL).
using Exchange = std::function<Result<ApiAnswer>(const ApiRequest&)>;

/// Over libcurl, one connection for all requests of the returned function. Redirects are not
/// followed. `interrupted` is asked every second or so.
Exchange curl_exchange(std::function<bool()> interrupted);

}  // namespace postrider
