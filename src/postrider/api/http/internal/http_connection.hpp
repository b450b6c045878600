#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>

#include "postrider/api/http/bearer.hpp"
#include "postrider/api/http/http_server.hpp"
#include "postrider/api/http/internal/connection_table.hpp"
#include "postrider/api/http/internal/http_request_parser.hpp"
#include "postrider/api/http/internal/http_response_stream.hpp"
#include "postrider/api/http/internal/http_socket.hpp"
#include "postrider/api/http/internal/response_head.hpp"
#include "postrider/api/http/router.hpp"

namespace postrider {

/// What the connections of a server share. Outlives them.
struct HttpServerShared {
  HttpServerSettings settings;
  HttpRouter router;
  BearerTokens tokens;
  std::atomic<std::uint64_t> request_count = 0;
  std::atomic<std::uint64_t> waits = 0;     ///< counts up as connections begin to wait
  std::atomic<std::size_t> body_bytes = 0;  ///< of requests that are read or answered
  std::atomic<bool> stopping = false;
  ConnectionTable connections{{settings.connections_max, settings.connections_per_address_max}};
};

/// Serves one client. Everything on the connection's executor.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket, HttpServerShared& shared);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection();

  /// Answers requests until the connection ends.
  Async<void> run();
  /// The server stops: ends the connection now when no request is under way, otherwise after it.
  void begin_stop();
  /// Another one needs its place: ends the connection, unless a request is being answered.
  void leave();
  /// Ends everything but a handler that is suspended elsewhere.
  void close();
  [[nodiscard]] boost::asio::any_io_executor executor() { return socket_.executor(); }
  /// In the order in which connections began to wait for a request, or without a token yet for its
  /// head; 0 while it does not. Any thread.
  [[nodiscard]] std::uint64_t waiting_since() const { return waiting_since_; }

 private:
  using State = HttpRequestParser::State;
  enum class Next { more, close, close_gently };

  Async<Next> serve_one();
  void begin_request();
  /// The head of a request is there, and it may have what it asks for.
  void accept(const HttpRoute& route);
  /// Both give `need_more` when the client has gone in between.
  Async<State> read_head();
  Async<State> read_body(std::uint64_t bytes_max);
  State feed();
  /// Counts what is there of the body. False when all bodies together are too large.
  bool count_body();
  void release_body();

  /// The answer to a request that no handler gets to see.
  [[nodiscard]] std::optional<HttpServerResponse> refusal(const HttpRouter::Found& found) const;
  Async<Next> refuse(HttpServerResponse response, State read);
  Async<Next> answer(const HttpRoute& route);
  /// Sends what the client takes at once; false when that was not all, and `send_rest` follows.
  bool send_now(const HttpServerResponse& response, AfterAnswer after);
  Async<bool> send_rest(const HttpServerResponse& response);
  Async<bool> send_stream(HttpServerResponse& response, AfterAnswer after);
  [[nodiscard]] AfterAnswer after_answer() const;

  HttpServerShared& shared_;
  HttpSocket socket_;
  HttpRequestParser parser_;
  std::array<std::byte, 1024> header_space_;  ///< for the headers of one request, as a rule
  std::pmr::monotonic_buffer_resource header_memory_{header_space_.data(), header_space_.size()};
  HttpServerRequest request_{header_memory_};
  std::size_t body_bytes_ = 0;  ///< that are counted
  bool is_over_ = false;        ///< the bodies of all connections are too large
  std::string answer_;          ///< what is sent, or its head; keeps its memory for the next one
  std::size_t sent_bytes_ = 0;  ///< of `answer_`
  bool is_body_apart_ = false;  ///< it is sent behind `answer_`
  HttpResponseStream* stream_ = nullptr;  ///< while an answer is streamed
  bool is_idle_ = true;
  bool is_authenticated_ = false;
  bool is_watching_ = false;  ///< for a handler, whether the client goes
  std::atomic<std::uint64_t> waiting_since_;
};

}  // namespace postrider
