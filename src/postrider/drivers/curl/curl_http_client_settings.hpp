#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "postrider/base/time.hpp"
#include "postrider/runtime/address_policy.hpp"

namespace postrider {

struct CurlHttpClientSettings {
  /// For name lookup, TCP and TLS together; counts towards the timeout of the request.
  Duration connect_timeout = std::chrono::seconds{10};
  /// What is kept of a response body.
  std::uint64_t response_bytes_max = 64U << 10;
  /// Idle connections are closed, oldest first, while more than this many connections are open.
  /// Limits what is kept, not what is in flight; below the usual number in flight, keep-alive is
  /// lost. Each takes a file descriptor.
  std::size_t idle_connections_max = 4096;
  std::string user_agent;  ///< empty: none is sent
  AddressPolicy policy;    ///< what may be connected to

  bool operator==(const CurlHttpClientSettings&) const = default;
};

}  // namespace postrider
