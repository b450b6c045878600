#pragma once

#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/fields.hpp>

#include "postrider/base/result.hpp"
#include "postrider/runtime/async.hpp"

namespace postrider {

/// Headers, in the order in which they came, from the memory of whoever made them.
using HttpFields = boost::beast::http::basic_fields<std::pmr::polymorphic_allocator<char>>;

/// One request as a handler gets it. Belongs to the connection, which keeps it until the answer
/// is sent; a handler may move `body` out.
struct HttpServerRequest {
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  HttpServerRequest() = default;
  /// Headers come from `memory`, which outlives them.
  explicit HttpServerRequest(std::pmr::memory_resource& memory) : headers(&memory) {}

  std::string method;
  std::string path;                   ///< as sent, without the query
  std::vector<std::string> segments;  ///< of the path, percent-decoded; "/" has none
  Parameters query;                   ///< decoded; no name stands twice
  Parameters path_parameters;         ///< of the route's template, decoded, never empty
  HttpFields headers;
  std::string body;            ///< has at least 64 bytes of spare capacity
  std::string request_id;      ///< unique over the processes of an installation
  std::string remote_address;  ///< of the peer, without its port
  /// Calls `gone` on the connection's executor when the client goes, or ends its side of the
  /// connection, while the handler runs. At most once for each request.
  std::function<void(std::function<void()> gone)> watch_client;

  /// The first of that name, without regard to case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> query_parameter(std::string_view name) const;
  /// `name` must be one of the route's template.
  [[nodiscard]] std::string_view path_parameter(std::string_view name) const;
};

/// The way to the client of an answer that comes in pieces. Used on the connection's executor.
class ResponseStream {
 public:
  ResponseStream() = default;
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;
  virtual ~ResponseStream() = default;

  /// Sends a piece now, which must live until then. Errors, after which the source returns soon:
  /// `connection_failed` when the client has gone or does not read, `stopping` when the server
  /// stops.
  virtual Async<Result<void>> write(std::string_view piece) = 0;
  /// True once `write` would fail.
  [[nodiscard]] virtual bool ended() const = 0;
  /// Calls `wake` once on the connection's executor when `ended` becomes true; at once when it
  /// already is. A second call replaces the first. It is never called after the source returned.
  virtual void on_end(std::function<void()> wake) = 0;
};

/// Writes the pieces of an answer and returns when there are no more.
using ResponseSource = std::function<Async<void>(ResponseStream&)>;

struct HttpServerResponse {
  int status = 200;
  std::string content_type = {};  ///< not sent when empty
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  ResponseSource source = nullptr;    ///< sends the body instead of `body`
  bool close_without_answer = false;  ///< for a receiver that plays a broken one
};

HttpServerResponse json_response(int status, std::string body);

/// Runs on the connection's executor. What it throws is a bug and is answered with 500.
using HttpHandler = std::function<Async<HttpServerResponse>(HttpServerRequest&)>;

}  // namespace postrider
