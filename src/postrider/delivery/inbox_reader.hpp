#pragma once

#include "postrider/commit/reader.hpp"
#include "postrider/delivery/service.hpp"
#include "postrider/runtime/async.hpp"
#include "postrider/sort/decision_tail.hpp"

namespace postrider {

/// Brings positions of a service's inbox into its window: first those of its blocks, then those of
/// decisions that are not folded yet. Engine thread.
class InboxReader {
 public:
  /// References must outlive this.
  InboxReader(Reader reader, DecisionTails& tails) : reader_(reader), tails_(tails) {}

  /// Until the window holds the first `count_max` positions, or all there are. Errors: those of a
  /// read; `storage_failed` when something is missing or damaged.
  Async<Result<void>> read(const Service* service, StreamKey stream, Inbox* inbox,
                           std::size_t count_max);
  /// Until it holds all positions up to `through`.
  Async<Result<void>> read_through(const Service* service, StreamKey stream, Inbox* inbox,
                                   StreamId through);

 private:
  Async<Result<void>> read_more(ServiceKey service, StreamKey stream, Inbox* inbox);
  Async<Result<void>> read_blocks(ServiceKey service, StreamKey stream, Inbox* inbox);
  Result<void> read_tail(ServiceKey service, StreamKey stream, Inbox& inbox);

  Reader reader_;
  DecisionTails& tails_;
};

}  // namespace postrider
