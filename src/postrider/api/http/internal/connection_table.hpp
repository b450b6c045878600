#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/ip/address.hpp>

#include "postrider/base/result.hpp"

namespace postrider {

class HttpConnection;

/// Who counts as one peer: an IPv4 address, or the network of 64 bits that an IPv6 address is in.
std::string peer_of(const boost::asio::ip::address& address);

/// The connections of a server, and which of them leave when there are too many: of those that have
/// shown no token the one that has waited longest for a request to come or to be complete, then of
/// the others the one that has waited longest between two requests. Any thread.
class ConnectionTable {
 public:
  struct Limits {
    std::size_t connections_max = 0;
    /// Of one peer, without a token.
    std::size_t unauthenticated_max = 0;
  };
  explicit ConnectionTable(Limits limits) : limits_(limits) {}

  struct Room {
    /// Tell it to leave; null when nobody has to.
    std::shared_ptr<HttpConnection> leaves;
  };
  /// Before `add`, one after the other. Error: `overloaded`, when nobody who is there may leave.
  Result<Room> make_room(const std::string& peer);
  void add(const std::shared_ptr<HttpConnection>& connection, std::string peer);
  /// It has shown a token.
  void set_authenticated(const HttpConnection* connection);
  /// It was told to leave, and is being answered meanwhile.
  void stay(const HttpConnection* connection);
  /// Before it is destroyed.
  void remove(const HttpConnection* connection);

  [[nodiscard]] bool empty() const;
  /// Those that are there now.
  [[nodiscard]] std::vector<std::shared_ptr<HttpConnection>> all() const;

 private:
  struct Entry {
    std::weak_ptr<HttpConnection> connection;
    std::string peer;
    bool is_authenticated = false;
    bool is_leaving = false;
  };
  using Entries = std::unordered_map<const HttpConnection*, Entry>;

  /// Under the mutex, as what follows. `peer`: only its own without a token.
  Entry* longest_waiting(const std::string* peer);
  std::shared_ptr<HttpConnection> send_away(Entry& entry);
  void forget_unauthenticated(const Entry& entry);

  const Limits limits_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::map<std::string, std::size_t> unauthenticated_;  ///< by peer, of those that stay
  std::size_t leaving_ = 0;
};

}  // namespace postrider
