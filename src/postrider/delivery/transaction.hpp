#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/delivery/delivery_policy.hpp"
#include "postrider/delivery/inbox.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

/// A slice of one inbox with its facts. Follows from the slice alone, so that every attempt, also
/// after a restart, has the same.
struct Transaction {
  InboxSeq last;
  std::string stream;  ///< of the first fact
  StreamId first_id;
  StreamId last_id;
  std::vector<std::string_view> payloads;
  std::vector<WallTime> appended_at;                      ///< of each fact
  std::vector<std::shared_ptr<const FactBatch>> batches;  ///< that the payloads are in
};

/// Reads the facts of the entries, which are not empty, in order, until a limit of `limits` is
/// reached. Nothing is parsed or written anew.
Async<Result<Transaction>> read_transaction(const Streams& streams, std::vector<InboxEntry> entries,
                                            TransactionLimits limits);

}  // namespace postrider
