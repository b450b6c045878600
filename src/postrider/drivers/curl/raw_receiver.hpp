#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace postrider {

/// What a receiver sends back, byte for byte, and what it does afterwards.
struct RawAnswer {
  enum class Then { read_on, close, repeat };
  std::string bytes = {};  ///< empty: no answer
  Then then = Then::read_on;
  std::string again = {};  ///< with `repeat`: what is sent for ever after them; empty: they
};

inline std::size_t body_size(std::string_view head) {
  const std::string_view name = "Content-Length: ";
  const std::size_t at = head.find(name);
  std::size_t size = 0;
  if (at != std::string_view::npos) {
    const std::string_view digits = head.substr(at + name.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), size);
  }
  return size;
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A bound socket on a free port of 127.0.0.1.
class BoundSocket {
 public:
  BoundSocket() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(0);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  BoundSocket(const BoundSocket&) = delete;
  BoundSocket& operator=(const BoundSocket&) = delete;
  ~BoundSocket() { close(socket_); }

  [[nodiscard]] int get() const { return socket_; }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }

 private:
  int socket_;
};

/// A receiver for tests that knows just enough of HTTP to tell where a request ends. One thread for
/// each connection; `script` is called on it for every whole request.
class RawReceiver {
 public:
  using Script = std::function<RawAnswer(RawReceiver&)>;
  struct Received {
    std::size_t connection = 0;
    std::string bytes;
  };

  explicit RawReceiver(Script script) : script_(std::move(script)) {
    EXPECT_EQ(listen(listener_.get(), 512), 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  explicit RawReceiver(RawAnswer answer)
      : RawReceiver([answer = std::move(answer)](RawReceiver&) { return answer; }) {}
  RawReceiver(const RawReceiver&) = delete;
  RawReceiver& operator=(const RawReceiver&) = delete;
  ~RawReceiver() {
    shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
    for (std::thread& connection : connections_) connection.join();
    for (const int socket : sockets_) close(socket);
  }

  [[nodiscard]] std::string origin(std::string_view host = "127.0.0.1") const {
    return fmt::format("http://{}:{}", host, listener_.port());
  }
  std::vector<Received> received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  /// False when they do not come: the limit only keeps a failing test from hanging.
  bool wait_for_requests(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{20},
                             [&] { return received_.size() >= count; });
  }
  /// The client closed a connection while it was still being answered.
  bool wait_for_broken_answer() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return answer_broken_; });
  }

 private:
  void accept_all() {
    while (true) {
      const int socket = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const std::size_t connection = sockets_.size();
      sockets_.push_back(socket);
      connections_.emplace_back([this, socket, connection] { serve(socket, connection); });
    }
  }

  void serve(int socket, std::size_t connection) {
    std::string pending;
    while (std::optional<std::string> request = read_request(socket, pending)) {
      {
        const std::lock_guard lock(mutex_);
        received_.push_back({connection, *std::move(request)});
      }
      changed_.notify_all();
      if (!send_answer(socket, script_(*this))) return;
    }
  }

  static std::optional<std::string> read_request(int socket, std::string& pending) {
    while (true) {
      const std::size_t head = pending.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t size = head + 4 + body_size(std::string_view{pending}.substr(0, head));
        if (pending.size() >= size) {
          std::string request = pending.substr(0, size);
          pending.erase(0, size);
          return request;
        }
      }
      std::array<char, 65536> buffer;
      const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
      if (count <= 0) return std::nullopt;
      pending.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  bool send_answer(int socket, const RawAnswer& answer) {
    bool sent = send_all(socket, answer.bytes);
    const std::string& again = answer.again.empty() ? answer.bytes : answer.again;
    while (sent && answer.then == RawAnswer::Then::repeat) sent = send_all(socket, again);
    if (!sent) {
      const std::lock_guard lock(mutex_);
      answer_broken_ = true;
      changed_.notify_all();
    }
    if (answer.then == RawAnswer::Then::close) shutdown(socket, SHUT_RDWR);
    return sent && answer.then == RawAnswer::Then::read_on;
  }

  static bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  Script script_;
  BoundSocket listener_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Received> received_;
  bool answer_broken_ = false;
  std::vector<int> sockets_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace postrider
