#pragma once

#include <cstddef>

#include "postrider/base/time.hpp"
#include "postrider/runtime/backoff.hpp"

namespace postrider {

struct TransactionLimits {
  std::size_t facts_max = 100;
  std::size_t bytes_max = 8U << 20;  ///< of payloads; a single larger fact goes alone

  bool operator==(const TransactionLimits&) const = default;
};

/// A receiver is not asked to remember more transactions than this and one.
inline constexpr std::size_t acknowledge_behind_max = 100;

/// How a service is delivered to: the size of its transactions, how long one may take, and when a
/// failed one is tried again.
struct DeliveryPolicy {
  TransactionLimits limits;
  Duration request_timeout = std::chrono::seconds{60};
  Backoff backoff;
  /// Acknowledgements that need not be on the disk yet when the next transaction is sent. So many
  /// transactions, and the one in flight, may be sent again after a crash.
  std::size_t acknowledge_behind = 0;

  bool operator==(const DeliveryPolicy&) const = default;
};

}  // namespace postrider
