#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/container/static_vector.hpp>

#include "postrider/base/time.hpp"
#include "postrider/runtime/async.hpp"

namespace postrider {

/// A head and a body, or the parts of a chunk.
using WireBuffers = boost::container::static_vector<boost::asio::const_buffer, 8>;

/// The server's side of one TCP connection. Everything on the executor of the socket it was made
/// of. One operation may be under way at a time.
class HttpSocket {
 public:
  explicit HttpSocket(boost::asio::ip::tcp::socket socket);
  HttpSocket(const HttpSocket&) = delete;
  HttpSocket& operator=(const HttpSocket&) = delete;
  ~HttpSocket();

  /// What was read and not consumed. Valid until the next `read_more` or `consume`.
  [[nodiscard]] std::string_view buffered() const;
  void consume(std::size_t bytes);

  /// Reads and writes that begin from now on, until the next call, end with a closed socket when
  /// they are not done after this time.
  void set_timeout(Duration timeout);
  /// Adds to what is buffered. False: the peer has closed, it took too long, or it failed.
  Async<bool> read_more(std::size_t bytes_max);
  /// Sends what the peer takes at once, without waiting: how many bytes that was. 0 also when it
  /// failed, which `write` shows.
  std::size_t write_now(std::string_view bytes);
  /// Sends what `parts` show, which must live until then. The timeout starts anew when some of it
  /// went.
  Async<bool> write(WireBuffers parts, Duration timeout);

  /// Calls `gone` when the peer closes its side, while nothing is read.
  void watch_for_end(std::function<void()> gone);
  void end_watch();

  /// Says that no more comes and discards what the peer still sends, so that it gets to read the
  /// last answer instead of a reset.
  Async<void> close_gently(Duration patience);
  void close();

  [[nodiscard]] boost::asio::any_io_executor executor();
  [[nodiscard]] std::string remote_address() const;

 private:
  class Stream;
  std::shared_ptr<Stream> stream_;
};

}  // namespace postrider
