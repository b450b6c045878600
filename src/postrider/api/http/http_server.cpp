#include "postrider/api/http/http_server.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "postrider/api/http/internal/connection_table.hpp"
#include "postrider/api/http/internal/http_connection.hpp"
#include "postrider/api/http/internal/response_head.hpp"
#include "postrider/api/http/problem.hpp"
#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using SocketError = boost::system::error_code;

/// How long connections that were closed may take to unwind before they are left where they are.
constexpr Duration unwinding_patience = std::chrono::milliseconds{250};
/// After a failed accept, which most often means that file descriptors have run out.
constexpr Duration accept_pause = std::chrono::milliseconds{100};

void rethrow(const std::exception_ptr& exception) {
  // Leaves the thread's `run` and so ends the process: a connection handles what it expects.
  if (exception) std::rethrow_exception(exception);
}

std::string address_text(const std::string& address, std::uint16_t port) {
  const bool is_v6 = address.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

Error listen_error(const std::string& listen, SocketError error) {
  if (error == asio::error::address_in_use) {
    return Error{
        Code::conflict,
        fmt::format("cannot listen on {}: address already in use; stop the other server or "
                    "choose another port (0 takes any that is free)",
                    listen)};
  }
  if (error == asio::error::access_denied) {
    return Error{
        Code::forbidden,
        fmt::format("cannot listen on {}: permission denied; choose a port from 1024", listen)};
  }
  return Error{Code::internal,
               fmt::format("cannot listen on {}: {}; choose an address of this machine", listen,
                           error.message())};
}

/// Answers one connection too many without reading what it wants.
void turn_away(tcp::socket& socket, const Error& error) {
  HttpServerResponse response = problem_response(error, "");
  std::string head;
  append_response_head(response, BodyForm::sized, AfterAnswer::close, head);
  SocketError ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(WireBuffers{asio::buffer(head), asio::buffer(response.body)}, ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

class HttpServer::Listener {
 public:
  Listener(HttpServerSettings settings, HttpRouter router, BearerTokens tokens)
      : shared{.settings = std::move(settings),
               .router = std::move(router),
               .tokens = std::move(tokens)},
        io_(shared.settings.threads) {}

  HttpServerShared shared;

  Result<void> start();
  void stop(Duration grace);
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Result<void> bind();
  Async<void> accept();
  void admit(tcp::socket socket);
  void remove(HttpConnection* connection);
  asio::any_io_executor connection_executor();
  static void tell(const std::shared_ptr<HttpConnection>& connection,
                   void (HttpConnection::*what)());
  void tell_all(void (HttpConnection::*what)());
  bool wait_for_all(std::unique_lock<std::mutex>& lock, Duration patience);

  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  /// After what its handlers use. One thread alone wakes nobody when it posts to itself.
  asio::io_context io_;
  tcp::acceptor acceptor_{asio::make_strand(io_)};
  std::vector<std::thread> threads_;
};

Result<void> HttpServer::Listener::bind() {
  const HttpServerSettings& settings = shared.settings;
  const std::string listen = address_text(settings.address, settings.port);
  SocketError error;
  const asio::ip::address address = asio::ip::make_address(settings.address, error);
  if (error) {
    return fail(Code::invalid_argument, "cannot listen on {}: \"{}\" is not an IP address", listen,
                settings.address);
  }
  const tcp::endpoint endpoint(address, settings.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    acceptor_.close();
    return std::unexpected(listen_error(listen, error));
  }
  port_ = acceptor_.local_endpoint().port();
  return {};
}

Result<void> HttpServer::Listener::start() {
  POSTRIDER_ASSERT(threads_.empty(), "a server is started twice");
  if (shared.stopping) {
    return fail(Code::stopping, "the server was stopped before it was started");
  }
  TRY_VOID(bind());
  asio::co_spawn(acceptor_.get_executor(), accept(), rethrow);
  for (int i = 0; i < shared.settings.threads; ++i) threads_.emplace_back([this] { io_.run(); });
  return {};
}

asio::any_io_executor HttpServer::Listener::connection_executor() {
  if (shared.settings.threads == 1) return io_.get_executor();
  return asio::make_strand(io_);
}

Async<void> HttpServer::Listener::accept() {
  asio::steady_timer timer(acceptor_.get_executor());
  while (!shared.stopping) {
    SocketError error;
    tcp::socket socket = co_await acceptor_.async_accept(
        connection_executor(), asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      admit(std::move(socket));
    } else if (!shared.stopping) {
      timer.expires_after(accept_pause);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }
}

void HttpServer::Listener::admit(tcp::socket socket) {
  std::shared_ptr<HttpConnection> connection;
  {
    const std::lock_guard lock(mutex_);
    if (shared.stopping) return;
    SocketError error;
    const std::string peer = peer_of(socket.remote_endpoint(error).address());
    const auto room = shared.connections.make_room(peer);
    if (!room) return turn_away(socket, room.error());
    if (room->leaves) tell(room->leaves, &HttpConnection::leave);
    connection = std::make_shared<HttpConnection>(std::move(socket), shared);
    shared.connections.add(connection, peer);
  }
  asio::co_spawn(connection->executor(), connection->run(),
                 [this, connection](const std::exception_ptr& exception) {
                   rethrow(exception);
                   remove(connection.get());
                 });
}

void HttpServer::Listener::remove(HttpConnection* connection) {
  shared.connections.remove(connection);
  const std::lock_guard lock(mutex_);
  if (shared.connections.empty()) changed_.notify_all();
}

void HttpServer::Listener::tell(const std::shared_ptr<HttpConnection>& connection,
                                void (HttpConnection::*what)()) {
  asio::post(connection->executor(), [connection, what] { (connection.get()->*what)(); });
}

void HttpServer::Listener::tell_all(void (HttpConnection::*what)()) {
  for (const auto& connection : shared.connections.all()) tell(connection, what);
}

bool HttpServer::Listener::wait_for_all(std::unique_lock<std::mutex>& lock, Duration patience) {
  return changed_.wait_for(lock, patience, [this] { return shared.connections.empty(); });
}

void HttpServer::Listener::stop(Duration grace) {
  if (shared.stopping.exchange(true) || threads_.empty()) return;
  {
    std::unique_lock lock(mutex_);
    asio::post(acceptor_.get_executor(), [this] { acceptor_.close(); });
    tell_all(&HttpConnection::begin_stop);
    if (!wait_for_all(lock, grace)) {
      tell_all(&HttpConnection::close);
      wait_for_all(lock, unwinding_patience);
    }
  }
  io_.stop();
  for (std::thread& thread : threads_) thread.join();
}

HttpServer::HttpServer(HttpServerSettings settings, HttpRouter router, BearerTokens tokens)
    : listener_(
          std::make_unique<Listener>(std::move(settings), std::move(router), std::move(tokens))) {}

HttpServer::~HttpServer() {
  stop(Duration::zero());
}

Result<void> HttpServer::start() {
  return listener_->start();
}

void HttpServer::stop(Duration grace) {
  listener_->stop(grace);
}

std::uint16_t HttpServer::port() const {
  return listener_->port();
}

std::string HttpServer::address() const {
  return address_text(listener_->shared.settings.address, port());
}

}  // namespace postrider
