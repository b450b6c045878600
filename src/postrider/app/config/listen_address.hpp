#pragma once

#include <cstdint>
#include <string>

#include "postrider/base/result.hpp"

namespace postrider {

/// Where a listener binds.
struct ListenAddress {
  std::string address;     ///< IPv4 or IPv6, without brackets
  std::uint16_t port = 0;  ///< 0: a free one
  bool operator==(const ListenAddress&) const = default;

  /// The base URL that a client on this machine reaches it by: an unspecified address becomes
  /// loopback.
  [[nodiscard]] std::string local_url() const;
};

/// Reads `IP:PORT`, `[IPv6]:PORT` or `localhost:PORT`. Errors: `invalid_argument`, with what is
/// allowed.
Result<ListenAddress> parse_listen_address(const std::string& text);

}  // namespace postrider
