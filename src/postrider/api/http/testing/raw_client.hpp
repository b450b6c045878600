#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "postrider/base/assert.hpp"

namespace postrider {

struct RawResponse {
  int status = 0;  ///< 0: the connection ended before an answer
  std::string head;
  std::string body;

  [[nodiscard]] bool has(std::string_view header_line) const {
    return head.find(header_line) != std::string::npos;
  }
};

/// A client that sends exactly the bytes it is told to. Blocks, for ten seconds at most; a read
/// that takes longer counts as the end of the connection.
class RawClient {
 public:
  /// `from`: of the loopback's addresses.
  explicit RawClient(std::uint16_t port, std::uint32_t from = INADDR_LOOPBACK);
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  void send(std::string_view bytes);
  /// Reads one answer that has a Content-Length, or none and no body.
  RawResponse response();
  /// Reads up to and with the text; empty when the connection ends before.
  std::string read_through(std::string_view text);
  /// True when the server ends the connection without another byte.
  bool is_ended();
  /// Sends nothing more, but still reads.
  void end_sending();
  /// Closes so that the server gets a reset.
  void reset();

 private:
  bool read_more();

  int socket_ = -1;
  std::string buffered_;
  bool is_ended_ = false;
};

inline RawClient::RawClient(std::uint16_t port, std::uint32_t from)
    : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(from);
  const int bound = ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  POSTRIDER_ASSERT(bound == 0, "cannot send from address {}", from);
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int done = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  POSTRIDER_ASSERT(done == 0, "cannot connect to port {}", port);
}

inline RawClient::~RawClient() {
  if (socket_ >= 0) ::close(socket_);
}

inline void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

inline bool RawClient::read_more() {
  std::array<char, 4096> bytes;
  const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
  is_ended_ = count == 0 || (count < 0 && errno == ECONNRESET);
  if (count <= 0) return false;
  buffered_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

inline std::string RawClient::read_through(std::string_view text) {
  std::size_t found = buffered_.find(text);
  while (found == std::string::npos) {
    if (!read_more()) return "";
    found = buffered_.find(text);
  }
  const std::size_t end = found + text.size();
  std::string read = buffered_.substr(0, end);
  buffered_.erase(0, end);
  return read;
}

inline RawResponse RawClient::response() {
  RawResponse response;
  response.head = read_through("\r\n\r\n");
  if (response.head.size() < 12) return response;
  response.status = std::stoi(response.head.substr(9, 3));
  constexpr std::string_view field = "Content-Length: ";
  const std::size_t at = response.head.find(field);
  if (at == std::string::npos) return response;
  const auto length = std::stoul(response.head.substr(at + field.size()));
  while (buffered_.size() < length) {
    if (!read_more()) return RawResponse();
  }
  response.body = buffered_.substr(0, length);
  buffered_.erase(0, length);
  return response;
}

inline bool RawClient::is_ended() {
  return buffered_.empty() && !read_more() && is_ended_;
}

inline void RawClient::end_sending() {
  ::shutdown(socket_, SHUT_WR);
}

inline void RawClient::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(socket_, -1));
}

}  // namespace postrider
