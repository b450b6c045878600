#include "postrider/api/http/internal/http_socket.hpp"

#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/beast/core/flat_buffer.hpp>

namespace postrider {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using SocketError = boost::system::error_code;
using Clock = asio::steady_timer::clock_type;

constexpr std::size_t kept_buffer_bytes = 64 * 1024;
constexpr std::size_t discard_bytes = 64 * 1024;

}  // namespace

/// The socket and the one timer of its time-outs. A request moves the deadline and leaves the timer
/// as it is; when that fires, it goes on to what the deadline is by then.
class HttpSocket::Stream : public std::enable_shared_from_this<Stream> {
 public:
  explicit Stream(tcp::socket socket) : wire(std::move(socket)), timer_(wire.get_executor()) {}

  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }
  /// Around each operation that the deadline ends.
  void begin_operation() {
    is_under_way_ = true;
    arm();
  }
  void end_operation() { is_under_way_ = false; }
  void close();

  tcp::socket wire;
  boost::beast::flat_buffer buffer;
  std::function<void()> gone;

 private:
  void arm();
  void on_timer();

  asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point armed_for_ = Clock::time_point::max();  ///< when it is not armed, too
  bool is_under_way_ = false;
};

void HttpSocket::Stream::arm() {
  if (armed_for_ <= deadline_) return;
  armed_for_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([weak = weak_from_this()](SocketError cancelled) {
    const auto stream = weak.lock();
    if (!cancelled && stream) stream->on_timer();
  });
}

void HttpSocket::Stream::on_timer() {
  armed_for_ = Clock::time_point::max();
  if (!is_under_way_) return;
  if (Clock::now() >= deadline_) return close();
  arm();
}

void HttpSocket::Stream::close() {
  gone = nullptr;
  timer_.cancel();
  SocketError ignored;
  wire.close(ignored);
}

HttpSocket::HttpSocket(tcp::socket socket) : stream_(std::make_shared<Stream>(std::move(socket))) {
  SocketError ignored;
  stream_->wire.set_option(tcp::no_delay(true), ignored);
  // Neither the peek in `watch_for_end` nor `write_now` may ever wait.
  stream_->wire.non_blocking(true, ignored);
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
  stream_->set_deadline(Clock::now() + timeout);
}

Async<bool> HttpSocket::read_more(std::size_t bytes_max) {
  const auto space = stream_->buffer.prepare(bytes_max);
  SocketError error;
  stream_->begin_operation();
  const std::size_t bytes = co_await stream_->wire.async_read_some(
      space, asio::redirect_error(asio::use_awaitable, error));
  stream_->end_operation();
  // It may have been closed with the bytes on their way here.
  if (error || !stream_->wire.is_open()) co_return false;
  stream_->buffer.commit(bytes);
  co_return true;
}

std::size_t HttpSocket::write_now(std::string_view bytes) {
  SocketError error;
  return stream_->wire.write_some(asio::buffer(bytes), error);
}

Async<bool> HttpSocket::write(WireBuffers parts, Duration timeout) {
  boost::beast::buffers_suffix<WireBuffers> left(parts);
  SocketError error;
  while (asio::buffer_size(left) > 0) {
    set_timeout(timeout);
    stream_->begin_operation();
    const std::size_t sent = co_await stream_->wire.async_write_some(
        left, asio::redirect_error(asio::use_awaitable, error));
    stream_->end_operation();
    if (error) co_return false;
    left.consume(sent);
  }
  co_return true;
}

void HttpSocket::watch_for_end(std::function<void()> gone) {
  stream_->gone = std::move(gone);
  stream_->wire.async_wait(tcp::socket::wait_read, [stream = stream_](SocketError error) {
    if (error || !stream->gone) return;
    char byte = 0;
    const std::size_t bytes =
        stream->wire.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
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
  stream_->wire.cancel(ignored);
}

Async<void> HttpSocket::close_gently(Duration patience) {
  SocketError error;
  stream_->wire.shutdown(tcp::socket::shutdown_send, error);
  std::string discarded(discard_bytes, '\0');
  const auto space = asio::buffer(discarded);
  set_timeout(patience);
  stream_->begin_operation();
  while (!error) {
    co_await stream_->wire.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
  }
  stream_->end_operation();
  close();
}

void HttpSocket::close() {
  stream_->close();
}

asio::any_io_executor HttpSocket::executor() {
  return stream_->wire.get_executor();
}

std::string HttpSocket::remote_address() const {
  SocketError error;
  const auto endpoint = stream_->wire.remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

}  // namespace postrider
