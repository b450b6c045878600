#include "postrider/api/http/internal/http_socket.hpp"

#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace postrider {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using SocketError = boost::system::error_code;

constexpr std::size_t kept_buffer_bytes = 64 * 1024;
constexpr std::size_t discard_bytes = 64 * 1024;

}  // namespace

class HttpSocket::Stream {
 public:
  explicit Stream(tcp::socket socket) : wire(std::move(socket)) {}

  boost::beast::tcp_stream wire;
  boost::beast::flat_buffer buffer;
  std::function<void()> gone;
};

HttpSocket::HttpSocket(tcp::socket socket) : stream_(std::make_shared<Stream>(std::move(socket))) {
  SocketError ignored;
  stream_->wire.socket().set_option(tcp::no_delay(true), ignored);
  // The peek in `watch_for_end` must never wait.
  stream_->wire.socket().non_blocking(true, ignored);
}

HttpSocket::~HttpSocket() = default;

std::string_view HttpSocket::buffered() const {
  const auto data = stream_->buffer.cdata();
  return {static_cast<const char*>(data.data()), data.size()};
}

void HttpSocket::consume(std::size_t bytes) {
  auto& buffer = stream_->buffer;
  buffer.consume(bytes);
  if (buffer.size() == 0 && buffer.capacity() > kept_buffer_bytes) buffer.shrink_to_fit();
}

void HttpSocket::set_timeout(Duration timeout) {
  stream_->wire.expires_after(timeout);
}

Async<bool> HttpSocket::read_more(std::size_t bytes_max) {
  const auto space = stream_->buffer.prepare(bytes_max);
  SocketError error;
  const std::size_t bytes = co_await stream_->wire.async_read_some(
      space, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return false;
  stream_->buffer.commit(bytes);
  co_return true;
}

Async<bool> HttpSocket::write(WireBuffers parts, Duration timeout) {
  boost::beast::buffers_suffix<WireBuffers> left(parts);
  SocketError error;
  while (asio::buffer_size(left) > 0) {
    stream_->wire.expires_after(timeout);
    const std::size_t sent = co_await stream_->wire.async_write_some(
        left, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    left.consume(sent);
  }
  co_return true;
}

void HttpSocket::watch_for_end(std::function<void()> gone) {
  stream_->gone = std::move(gone);
  auto& socket = stream_->wire.socket();
  socket.async_wait(tcp::socket::wait_read, [stream = stream_](SocketError error) {
    if (error || !stream->gone) return;
    char byte = 0;
    const std::size_t bytes =
        stream->wire.socket().receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
    // A next request that is sent too early hides the end of the connection from us; writing will
    // show it.
    const bool is_open = error ? error == asio::error::would_block : bytes > 0;
    if (is_open) return;
    std::exchange(stream->gone, nullptr)();
  });
}

void HttpSocket::end_watch() {
  stream_->gone = nullptr;
  SocketError ignored;
  stream_->wire.socket().cancel(ignored);
}

Async<void> HttpSocket::close_gently(Duration patience) {
  SocketError error;
  stream_->wire.socket().shutdown(tcp::socket::shutdown_send, error);
  std::string discarded(discard_bytes, '\0');
  const auto space = asio::buffer(discarded);
  stream_->wire.expires_after(patience);
  while (!error) {
    co_await stream_->wire.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
  }
  close();
}

void HttpSocket::close() {
  stream_->gone = nullptr;
  stream_->wire.close();
}

asio::any_io_executor HttpSocket::executor() {
  return stream_->wire.get_executor();
}

std::string HttpSocket::remote_address() const {
  SocketError error;
  const auto endpoint = stream_->wire.socket().remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

}  // namespace postrider
