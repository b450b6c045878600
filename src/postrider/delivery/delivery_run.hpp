#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "postrider/delivery/service.hpp"
#include "postrider/delivery/transaction_source.hpp"
#include "postrider/sort/inboxes.hpp"
#include "postrider/stream/quarantine.hpp"

namespace postrider {

/// One run of delivery to a service, from its waking until it waits again: what is to be sent is
/// read, and frozen: its number and its end are on the disk. While transactions are in flight the
/// next is read. A receiver that remembers more than one ID (`acknowledge_behind` of its policy)
/// need not wait for the disk in between: while some are sent the next ones are frozen. The window
/// of facts that this holds is bounded by twice the transactions of a round, and their bytes.
/// Engine thread.
class DeliveryRun {
 public:
  /// References must outlive this. `frozen`: what to begin with.
  DeliveryRun(std::shared_ptr<Service> service, TransactionSource& source, Commits& commits,
              Quarantine& quarantine, std::optional<Transaction> frozen);

  [[nodiscard]] Service* service() const { return service_.get(); }

  /// Until `front` is frozen, and enough is acknowledged on the disk for it to be sent. Facts that
  /// cannot be read go to quarantine and are passed by; if there are no others, nothing is ready
  /// afterwards. Errors: those of a read, and of a commit.
  Async<Result<void>> make_ready(StreamKey key, StreamDelivery* stream);
  [[nodiscard]] bool is_ready() const { return !ready_.empty(); }
  /// The transaction to send: the first one of the stream that is frozen.
  [[nodiscard]] const Transaction& front() const { return ready_.front(); }
  /// How many to send until the next call of `make_ready`, if all are taken; at least 1.
  [[nodiscard]] std::size_t round() const;
  /// The receiver has taken `front`, which this returns.
  Transaction acknowledge(StreamDelivery& stream);
  /// No other may be sent before what is acknowledged is on the disk.
  [[nodiscard]] bool must_save() const;
  /// `front` was not taken: what was read is read anew, and may be another one then.
  void forget();

  /// While those of `key` are in flight: true when a full transaction waits after them. What is
  /// there of a smaller one would leave out what comes until then.
  [[nodiscard]] bool wants_ahead(StreamKey key) const;
  /// Prepares that. What cannot be read or frozen is said when it is needed.
  Async<void> prepare_ahead(StreamKey key);

 private:
  struct Ahead {
    StreamKey stream;
    StreamId after;
    Transaction transaction;
  };
  [[nodiscard]] std::size_t round_max() const;
  [[nodiscard]] std::int64_t facts_ready() const;
  Async<Result<void>> read_frozen(StreamKey key, StreamDelivery* stream);
  Async<Result<void>> freeze_next(StreamKey key, StreamDelivery* stream);
  Async<Result<void>> quarantine(StreamKey key, const Transaction* transaction);
  void pass_by(StreamDelivery& stream, const Transaction& transaction);
  Async<Result<void>> freeze(StreamDelivery* stream, std::vector<Transaction> transactions);
  Async<Result<void>> save();
  Async<void> read_ahead(StreamKey key, StreamDelivery* stream);
  Async<void> freeze_ahead(StreamKey key, StreamDelivery* stream);

  std::shared_ptr<Service> service_;
  TransactionSource& source_;
  Commits& commits_;
  Quarantine& quarantine_;
  std::deque<Transaction> ready_;  ///< the first of those that are frozen
  std::optional<Ahead> ahead_;     ///< read, not frozen
  std::size_t unsaved_ = 0;        ///< acknowledgements that may not be on the disk
};

}  // namespace postrider
