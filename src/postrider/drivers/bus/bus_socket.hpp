#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "postrider/drivers/bus/bus_timing.hpp"

namespace postrider {

/// One connection of a bus. Closed when the other side does not read what is sent, or sends nothing
/// for too long. Bus thread.
class BusSocket : public std::enable_shared_from_this<BusSocket> {
 public:
  static constexpr std::size_t queue_bytes_max = 16U << 20;

  struct Events {
    std::function<void()> opened;
    /// False closes it, when it is not closed later already.
    std::function<bool(std::string_view bytes)> received;
    std::function<void(const std::string& reason)> closed;
    /// What to send when nothing else was sent for an interval.
    std::function<std::string()> keep_alive;
  };
  BusSocket(boost::asio::io_context& io, BusTiming timing);

  boost::asio::ip::tcp::socket& socket() { return socket_; }
  /// Connects to `host` and `port`.
  void connect(const std::string& host, const std::string& port, Events events);
  /// Begins with a socket that was accepted.
  void accept(Events events);
  void send(std::string bytes);
  /// True when everything that was sent has left.
  [[nodiscard]] bool is_drained() const { return queue_.empty(); }
  /// Reads no more, and closes once all that was sent has left.
  void close_when_sent(const std::string& reason);
  /// Once; calls `closed`.
  void close(const std::string& reason);

 private:
  void open();
  void read();
  void write();
  void tick();
  void set_deadline(Duration after, const std::string& reason);

  BusTiming timing_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  /// Copied before one of them is called: the call may close the connection.
  std::shared_ptr<const Events> events_;
  std::array<char, 1 << 16> buffer_{};
  std::deque<std::string> queue_;
  std::size_t queue_bytes_ = 0;
  bool is_open_ = false;
  bool is_closed_ = false;
  std::optional<std::string> closes_when_sent_;  ///< and why
  bool has_sent_ = false;                        ///< since the last tick
  int ticks_without_bytes_ = 0;
};

}  // namespace postrider
