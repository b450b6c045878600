#pragma once

#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace postrider {

/// Stands before a server on loopback, and cuts connections where a test wants it to.
class CuttingProxy {
 public:
  enum class Cut { never, before_commit, after_commit };
  /// Whether the server learns of it: not when a network loses what it knew of the connection.
  enum class Side { both, client };

  explicit CuttingProxy(std::string server_port)
      : server_port_(std::move(server_port)),
        acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}),
        thread_([this] { serve(); }) {}
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;
  ~CuttingProxy() {
    is_ended_ = true;
    boost::system::error_code ignored;
    Socket(io_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
    for (Link& link : links_) {
      shut(link.client);
      shut(link.server);
      link.forth.join();
      link.back.join();
    }
  }

  [[nodiscard]] std::string port() const {
    return std::to_string(acceptor_.local_endpoint().port());
  }
  /// At the next commit: before it reaches the server, or before its answer reaches the client.
  void cut_next(Cut cut, Side side = Side::both) {
    side_ = side;
    cut_ = cut;
  }
  /// Ends all connections for the client, and keeps them for the server.
  void lose_clients() {
    const std::lock_guard lock(mutex_);
    for (Link& link : links_) {
      link.is_kept = true;
      shut(link.client);
    }
  }

 private:
  using Socket = boost::asio::ip::tcp::socket;
  struct Link {
    explicit Link(boost::asio::io_context& io, Socket accepted)
        : client(std::move(accepted)), server(io) {}
    Socket client;
    Socket server;
    std::atomic<bool> is_kept = false;  ///< for the server, when the client's side ends
    std::thread forth;
    std::thread back;
  };

  static void shut(Socket& socket) {
    boost::system::error_code ignored;
    socket.shutdown(Socket::shutdown_both, ignored);
  }

  void serve() {
    while (!is_ended_) {
      Socket client = acceptor_.accept();
      if (is_ended_) return;
      const std::lock_guard lock(mutex_);
      Link& link = links_.emplace_back(io_, std::move(client));
      boost::asio::ip::tcp::resolver resolver(io_);
      link.server.connect(resolver.resolve("127.0.0.1", server_port_).begin()->endpoint());
      link.forth = std::thread([this, &link] { pump_forth(link); });
      link.back = std::thread([this, &link] { pump_back(link); });
    }
  }

  void pump_forth(Link& link) {
    pump(link.client, [&](std::string_view bytes) { return pass_request(link, bytes); });
    shut(link.client);
    if (!link.is_kept) shut(link.server);
  }
  void pump_back(Link& link) {
    pump(link.server, [&](std::string_view bytes) { return pass_answer(link, bytes); });
    shut(link.client);
    if (!link.is_kept) shut(link.server);
  }
  /// Until one side ends, or `pass` says false.
  template <class Pass>
  static void pump(Socket& from, Pass pass) {
    std::array<char, 1 << 16> buffer{};
    boost::system::error_code error;
    while (!error) {
      const std::size_t size = from.read_some(boost::asio::buffer(buffer), error);
      if (!error && !pass(std::string_view(buffer.data(), size))) return;
    }
  }

  bool pass_request(Link& link, std::string_view bytes) {
    const bool commits = bytes.contains("COMMIT");
    if (commits && cut_ == Cut::before_commit) {
      cut_ = Cut::never;
      link.is_kept = side_ == Side::client;
      return false;
    }
    if (commits && cut_ == Cut::after_commit) holds_answer_ = true;
    return write(link.server, bytes);
  }
  bool pass_answer(Link& link, std::string_view bytes) {
    if (holds_answer_.exchange(false)) {
      cut_ = Cut::never;
      link.is_kept = side_ == Side::client;
      return false;
    }
    return write(link.client, bytes);
  }
  static bool write(Socket& to, std::string_view bytes) {
    boost::system::error_code error;
    boost::asio::write(to, boost::asio::buffer(bytes), error);
    return !error;
  }

  std::string server_port_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> is_ended_ = false;
  std::atomic<Cut> cut_ = Cut::never;
  std::atomic<Side> side_ = Side::both;
  std::atomic<bool> holds_answer_ = false;
  std::mutex mutex_;  ///< of `links_`
  std::list<Link> links_;
  std::thread thread_;
};

}  // namespace postrider
