#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "postrider/delivery/delivery_policy.hpp"
#include "postrider/delivery/inbox.hpp"
#include "postrider/delivery/receiver.hpp"
#include "postrider/runtime/runtime.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/services.hpp"

namespace postrider {

/// Counts the changes of something that is stored, and knows which of them is on disk.
class Revision {
 public:
  [[nodiscard]] std::uint64_t current() const { return current_; }
  [[nodiscard]] bool is_saved() const { return saved_ == current_; }
  void change() { ++current_; }
  void set_saved(std::uint64_t revision) { saved_ = std::max(saved_, revision); }

 private:
  std::uint64_t current_ = 0;
  std::uint64_t saved_ = 0;
};

/// One stream as one service gets it.
struct StreamDelivery {
  DeliveryCursor cursor;
  Inbox inbox;
  Revision revision;  ///< of `cursor`
};

/// A registered receiver and where delivery to it stands. Engine thread; shared by the registry
/// and by the coroutine that delivers to it, which may outlive its registration for a moment.
struct Service {
  using Streams = std::map<StreamKey, StreamDelivery>;

  ServiceRow row;  ///< without its document
  std::shared_ptr<const Receiver> receiver;
  std::optional<std::int64_t> document_digest;  ///< of `receiver`, once somebody has asked for it
  std::shared_ptr<const Interest> interest;     ///< the same object while it asks for the same
  DeliveryPolicy policy;
  DeliveryState delivery;
  Revision revision;  ///< of `delivery`
  Streams streams;    ///< those that it was to get anything of

  bool delivering = false;  ///< one transaction is in flight, or being frozen
  bool retry_due = false;   ///< DOWN, and its time to try again has come
  bool removed = false;
  std::size_t split_facts_max = 0;  ///< it found larger transactions too large; 0: none yet
  StreamKey turn;                   ///< the next transaction is of this stream or one after it
  std::optional<Runtime::TimerId> retry_timer;
  std::optional<Runtime::TimerId> save_timer;  ///< what could not be saved is tried again then

  [[nodiscard]] bool is_pushed() const { return receiver->url().has_value(); }
  /// Takes transactions as they come.
  [[nodiscard]] bool is_active() const {
    const bool is_well =
        delivery.status == DeliveryStatus::up || delivery.status == DeliveryStatus::untested;
    return is_pushed() && is_well;
  }
  /// Facts of all streams that it has not acknowledged.
  [[nodiscard]] std::int64_t behind() const;
  [[nodiscard]] bool has_work() const;
  /// A transaction of some stream is frozen and not acknowledged.
  [[nodiscard]] bool has_frozen() const;
  [[nodiscard]] bool has_unsaved() const;
  /// When the oldest of them was appended, or a little before; empty when none waits.
  [[nodiscard]] std::optional<WallTime> oldest_appended_at() const;
  /// Facts that it has acknowledged.
  [[nodiscard]] std::int64_t delivered() const;
  /// What a transaction may hold, after some were found too large.
  [[nodiscard]] TransactionLimits limits() const;
  /// The number of the last transaction that was frozen.
  [[nodiscard]] TransactionNumber last_transaction() const;

  /// After a start: the stream of the last transaction goes on, which may have been too large.
  void restore_turn();
  /// The stream whose transaction is frozen, else the one whose turn it is; `end` when it is behind
  /// on none.
  [[nodiscard]] Streams::iterator next_stream();
  /// The stream whose turn it is after this one; the same one when it is behind on no other.
  [[nodiscard]] Streams::iterator stream_after(StreamKey stream);
  /// Frees what is held of inboxes.
  void forget_windows();

 private:
  [[nodiscard]] Streams::const_iterator last_used_stream() const;
  /// The first that it is behind on, from this one on or else of all; `end` when there is none.
  [[nodiscard]] Streams::iterator stream_behind(StreamKey from);
};

}  // namespace postrider
