#pragma once

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace postrider {

/// Stands before a server on loopback, and cuts a connection where a test wants it to. One
/// connection at a time.
class CuttingProxy {
 public:
  enum class Cut { never, before_commit, after_commit };

  explicit CuttingProxy(std::string server_port)
      : server_port_(std::move(server_port)),
        acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}),
        thread_([this] { serve(); }) {}
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;
  /// After its last client is gone.
  ~CuttingProxy() {
    is_ended_ = true;
    boost::system::error_code ignored;
    Socket(io_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }

  [[nodiscard]] std::string port() const {
    return std::to_string(acceptor_.local_endpoint().port());
  }
  /// At the next commit: before it reaches the server, or before its answer reaches the client.
  void cut_next(Cut cut) { cut_ = cut; }

 private:
  using Socket = boost::asio::ip::tcp::socket;

  void serve() {
    while (!is_ended_) {
      Socket client = acceptor_.accept();
      if (is_ended_) return;
      Socket server(io_);
      boost::asio::ip::tcp::resolver resolver(io_);
      server.connect(resolver.resolve("127.0.0.1", server_port_).begin()->endpoint());
      std::thread back([&] { pump(server, client, &CuttingProxy::pass_answer); });
      pump(client, server, &CuttingProxy::pass_request);
      back.join();
    }
  }

  /// Ends both when one side does.
  void pump(Socket& from, Socket& to, bool (CuttingProxy::*pass)(std::string_view, Socket&)) {
    std::array<char, 1 << 16> buffer{};
    boost::system::error_code error;
    while (!error) {
      const std::size_t size = from.read_some(boost::asio::buffer(buffer), error);
      if (!error && !(this->*pass)({buffer.data(), size}, to)) break;
    }
    for (Socket* const socket : {&from, &to}) {
      socket->shutdown(Socket::shutdown_both, error);
    }
  }
  bool pass_request(std::string_view bytes, Socket& to) {
    const bool commits = bytes.contains("COMMIT");
    if (commits && cut_ == Cut::before_commit) {
      cut_ = Cut::never;
      return false;
    }
    if (commits && cut_ == Cut::after_commit) holds_answer_ = true;
    boost::system::error_code error;
    boost::asio::write(to, boost::asio::buffer(bytes), error);
    return !error;
  }
  bool pass_answer(std::string_view bytes, Socket& to) {
    if (holds_answer_.exchange(false)) {
      cut_ = Cut::never;
      return false;
    }
    boost::system::error_code error;
    boost::asio::write(to, boost::asio::buffer(bytes), error);
    return !error;
  }

  std::string server_port_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> is_ended_ = false;
  std::atomic<Cut> cut_ = Cut::never;
  std::atomic<bool> holds_answer_ = false;
  std::thread thread_;
};

}  // namespace postrider
