#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "postrider/api/http/bearer.hpp"
#include "postrider/api/http/router.hpp"
#include "postrider/base/result.hpp"

namespace postrider {

struct HttpServerSettings {
  std::string address = "127.0.0.1";  ///< IPv4 or IPv6, without brackets
  std::uint16_t port = 0;             ///< 0: a free one
  int threads = 1;                    ///< each connection stays in order whatever their number
  std::size_t header_bytes_max = 16U << 10;  ///< below 64 KiB, which a field may have
  /// For one more, one that waits for a request leaves; when none does it is answered 503.
  std::size_t connections_max = 4096;
  /// Of one peer address (IPv6: of its /64 network) that have shown no token yet, in the same way.
  std::size_t connections_per_address_max = 1024;
  /// Of bodies that are read or answered just now, over all connections; a request that goes beyond
  /// is answered 503.
  std::size_t bodies_bytes_max = 256U << 20;
  Duration idle_timeout = std::chrono::seconds{75};  ///< until a request begins
  /// From a request's first byte to the end of its header, and from there for each 16 KiB of its
  /// body.
  Duration read_timeout = std::chrono::seconds{30};
  Duration write_timeout = std::chrono::seconds{30};  ///< between two parts of an answer
  std::string request_id_prefix = "request";          ///< random for each process

  bool operator==(const HttpServerSettings&) const = default;
};

/// An HTTP/1.1 server with its own threads. It refuses what has no route, no right or too large a
/// body before it reads the body, and answers every refusal with a problem document. `start` and
/// `stop` are called by one thread that is not one of its own.
class HttpServer {
 public:
  HttpServer(HttpServerSettings settings, HttpRouter router, BearerTokens tokens);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Stops without grace. A handler that waits for something outside must not be resumed any more.
  ~HttpServer();

  /// Once. Errors: `invalid_argument` (not an address), `conflict` (in use), `forbidden` (no right
  /// to it), `stopping` (after `stop`), `internal`.
  Result<void> start();

  /// Accepts no more connections, closes those without a request, tells streaming answers to end,
  /// and waits for requests in flight at most for `grace`. Then it closes the rest and ends the
  /// threads. A second call does nothing.
  void stop(Duration grace);

  /// The port that is bound, after `start`.
  [[nodiscard]] std::uint16_t port() const;
  /// What is bound, after `start`: "127.0.0.1:8480", "[::1]:8480".
  [[nodiscard]] std::string address() const;

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace postrider
