#pragma once

#include "postrider/delivery/inbox_reader.hpp"
#include "postrider/delivery/service.hpp"
#include "postrider/delivery/transaction.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

/// Reads what a service is sent: positions from its inbox, and their facts from streams. Engine
/// thread. Errors: those of a read; `storage_failed` when something is missing or damaged.
class TransactionSource {
 public:
  /// References must outlive this.
  TransactionSource(Reader reader, DecisionTails& tails, const Streams& streams)
      : inboxes_(reader, tails), streams_(streams) {}

  /// The first transaction that is frozen, as it was at first.
  Async<Result<Transaction>> read_frozen(const Service* service, StreamKey key,
                                         StreamDelivery* stream);
  /// As many facts after `after` as one transaction may hold now. `after`: what is acknowledged, or
  /// the end of a transaction that was read since.
  Async<Result<Transaction>> read_after(const Service* service, StreamKey key,
                                        StreamDelivery* stream, StreamId after);

  [[nodiscard]] Result<Stream*> find_stream(StreamKey key) const;

 private:
  InboxReader inboxes_;
  const Streams& streams_;
};

}  // namespace postrider
