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
  /// Open at once, in use or kept alive; each takes a file descriptor. Requests that find all of
  /// them in use wait, and their timeout begins when they have one. At least 1.
  std::size_t connections_max = 4096;
  /// The same for one scheme, host and port, where one that hangs must not take them all.
  std::size_t connections_per_host_max = 1024;
  std::string user_agent;  ///< empty: none is sent
  AddressPolicy policy;    ///< what may be connected to

  bool operator==(const CurlHttpClientSettings&) const = default;
};

}  // namespace postrider
