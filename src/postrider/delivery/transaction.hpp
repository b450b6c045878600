#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postrider/delivery/inbox.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

/// A slice of one inbox with the bytes that are sent for it. The bytes follow from the slice
/// alone, so that every attempt, also after a restart, sends the same.
struct Transaction {
  InboxSeq last;
  std::shared_ptr<const std::string> body;
  std::vector<WallTime> appended_at;  ///< of each fact
};

struct TransactionLimits {
  std::size_t facts_max = 100;
  std::size_t bytes_max = 8U << 20;  ///< of payloads; a single larger fact goes alone
};

/// Joins the payloads of the entries, which are not empty, in order, until a limit is reached.
/// Spliced from the stored bytes: nothing is parsed or written anew.
Async<Result<Transaction>> compose_transaction(const Streams& streams,
                                               std::vector<InboxEntry> entries,
                                               std::size_t bytes_max);

}  // namespace postrider
