#pragma once

#include <optional>
#include <vector>

#include "postrider/delivery/inbox_reader.hpp"
#include "postrider/delivery/service.hpp"
#include "postrider/delivery/transaction.hpp"
#include "postrider/runtime/async_semaphore.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

/// Reads what a service is sent: positions from its inbox, and their facts from streams. What does
/// not fit into the memory for transactions waits without its facts. Engine thread. Errors: those
/// of a read; `storage_failed` when something is missing or damaged; `stopping` for what waits.
class TransactionSource {
 public:
  /// References must outlive this.
  TransactionSource(Runtime& runtime, Reader reader, DecisionTails& tails, const Streams& streams,
                    TransactionBudget& budget)
      : inboxes_(reader, tails),
        streams_(streams),
        budget_(budget),
        reads_(runtime, reads_at_once_max) {}

  /// The first transaction that is frozen, as it was at first.
  Async<Result<Transaction>> read_frozen(const Service* service, StreamKey key,
                                         StreamDelivery* stream);
  /// As many facts after `after` as one transaction may hold now. `after`: what is acknowledged, or
  /// the end of a transaction that was read since.
  Async<Result<Transaction>> read_after(const Service* service, StreamKey key,
                                        StreamDelivery* stream, StreamId after);
  /// The same without waiting for memory: what does not fit is `overloaded`.
  Async<Result<Transaction>> try_read_after(const Service* service, StreamKey key,
                                            StreamDelivery* stream, StreamId after);

  [[nodiscard]] Result<Stream*> find_stream(StreamKey key) const;

 private:
  /// However many services are delivered to, so many transactions are read at once: while they
  /// are, nobody knows yet what they hold.
  static constexpr std::size_t reads_at_once_max = 8;

  /// What to read.
  struct Slice {
    const Service* service;
    StreamKey key;
    StreamDelivery* stream;
    std::optional<StreamId> after;  ///< empty: the first one that is frozen
  };
  Async<Result<Transaction>> read_when_it_fits(Slice slice);
  Async<Result<Transaction>> read_in_turn(const Slice* slice);
  Async<Result<Transaction>> read(const Slice* slice);
  Async<Result<std::vector<StreamId>>> frozen_positions(const Slice* slice);
  Async<Result<std::vector<StreamId>>> next_positions(const Slice* slice);

  InboxReader inboxes_;
  const Streams& streams_;
  TransactionBudget& budget_;
  AsyncSemaphore reads_;
};

}  // namespace postrider
