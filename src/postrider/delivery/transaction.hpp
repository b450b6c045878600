#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/delivery/delivery_policy.hpp"
#include "postrider/delivery/transaction_budget.hpp"
#include "postrider/stream/stream.hpp"

namespace postrider {

/// A slice of one inbox with its facts. Follows from the slice alone, so that every attempt, also
/// after a restart, has the same.
struct Transaction {
  std::string stream;
  StreamId first;
  StreamId last;
  std::vector<std::string_view> payloads;
  std::vector<WallTime> appended_at;                      ///< of each fact
  std::vector<std::shared_ptr<const FactBatch>> batches;  ///< that the payloads are in
  std::int64_t entries = 0;  ///< of the inbox: the facts, and those that cannot be read
  std::vector<UnreadableFacts> unreadable;  ///< what ended it; a part of it if there is no fact
  TransactionBudget::Share memory;          ///< of the batches
};

/// Reads the facts at `positions`, which rise and are not empty, until a limit of `limits` is
/// reached. Nothing is parsed or written anew. What cannot be read ends it too. At the first
/// position it is all that there is, without a fact.
Async<Result<Transaction>> read_transaction(Stream& stream, std::vector<StreamId> positions,
                                            TransactionLimits limits);

/// The same from chunks that hold all of these facts, in order.
Transaction take_transaction(const std::string& stream, std::vector<StreamId> positions,
                             std::span<const Chunk> chunks, const TransactionLimits& limits);

}  // namespace postrider
