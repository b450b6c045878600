#include "postrider/api/http/internal/connection_table.hpp"

#include <algorithm>
#include <tuple>

#include "postrider/api/http/internal/http_connection.hpp"

namespace postrider {
namespace {

constexpr Duration full_retry_after = std::chrono::seconds{1};

template <class... Args>
std::unexpected<Error> overloaded(fmt::format_string<Args...> format, Args&&... args) {
  Error error{Code::overloaded, fmt::format(format, std::forward<Args>(args)...)};
  error.retry_after = full_retry_after;
  return std::unexpected(std::move(error));
}

}  // namespace

std::string peer_of(const boost::asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
  }
  auto network = v6.to_bytes();
  std::fill(network.begin() + 8, network.end(), 0);
  return boost::asio::ip::address_v6(network).to_string() + "/64";
}

Result<ConnectionTable::Room> ConnectionTable::make_room(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = unauthenticated_.find(peer);
  if (found != unauthenticated_.end() && found->second >= limits_.unauthenticated_max) {
    Entry* const entry = longest_waiting(&peer);
    if (entry != nullptr) return Room{send_away(*entry)};
    return overloaded(
        "the server already has {} connections from {} that have shown no token: try again later,"
        " or raise its connections_per_address_max",
        limits_.unauthenticated_max, peer);
  }
  if (entries_.size() - leaving_ < limits_.connections_max) return Room{};
  Entry* const entry = longest_waiting(nullptr);
  if (entry != nullptr) return Room{send_away(*entry)};
  return overloaded(
      "the server already has {} connections: try again later or raise its connections_max",
      limits_.connections_max);
}

ConnectionTable::Entry* ConnectionTable::longest_waiting(const std::string* peer) {
  Entry* longest = nullptr;
  std::tuple<bool, std::uint64_t> least;
  for (auto& [key, entry] : entries_) {
    if (entry.is_leaving) continue;
    if (peer != nullptr && (entry.is_authenticated || entry.peer != *peer)) continue;
    const std::uint64_t since = key->waiting_since();
    if (since == 0) continue;
    const std::tuple<bool, std::uint64_t> order{entry.is_authenticated, since};
    if (longest != nullptr && order >= least) continue;
    longest = &entry;
    least = order;
  }
  return longest;
}

std::shared_ptr<HttpConnection> ConnectionTable::send_away(Entry& entry) {
  forget_unauthenticated(entry);
  entry.is_leaving = true;
  ++leaving_;
  return entry.connection.lock();
}

void ConnectionTable::forget_unauthenticated(const Entry& entry) {
  if (entry.is_authenticated || entry.is_leaving) return;
  const auto found = unauthenticated_.find(entry.peer);
  if (--found->second == 0) unauthenticated_.erase(found);
}

void ConnectionTable::add(const std::shared_ptr<HttpConnection>& connection, std::string peer) {
  const std::lock_guard lock(mutex_);
  ++unauthenticated_[peer];
  entries_.emplace(connection.get(), Entry{connection, std::move(peer)});
}

void ConnectionTable::set_authenticated(const HttpConnection* connection) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;
  forget_unauthenticated(found->second);
  found->second.is_authenticated = true;
}

void ConnectionTable::remove(const HttpConnection* connection) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;
  forget_unauthenticated(found->second);
  if (found->second.is_leaving) --leaving_;
  entries_.erase(found);
}

void ConnectionTable::stay(const HttpConnection* connection) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;  // it has ended meanwhile
  Entry& entry = found->second;
  entry.is_leaving = false;
  --leaving_;
  if (!entry.is_authenticated) ++unauthenticated_[entry.peer];
}

bool ConnectionTable::empty() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty();
}

std::vector<std::shared_ptr<HttpConnection>> ConnectionTable::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<HttpConnection>> all;
  for (const auto& [key, entry] : entries_) {
    if (auto connection = entry.connection.lock()) all.push_back(std::move(connection));
  }
  return all;
}

}  // namespace postrider
