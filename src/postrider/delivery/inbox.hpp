#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/store/inbox.hpp"

namespace postrider {

/// One fact that is still to be delivered.
struct InboxEntry {
  InboxSeq seq;
  StreamKey stream;
  StreamId id;
};

/// What one service is still to get. All of it is in the database; here are its ends, and a
/// bounded window of blocks while the service takes transactions.
class Inbox {
 public:
  static constexpr std::size_t window_bytes_max = 64U << 10;

  Inbox(InboxSeq acknowledged, InboxSeq last, std::optional<WallTime> oldest_appended_at);

  [[nodiscard]] InboxSeq last_seq() const { return last_; }
  [[nodiscard]] std::int64_t behind() const { return last_.value - acknowledged_.value; }
  /// When the oldest entry was appended to its stream, or a little before; empty when none waits.
  [[nodiscard]] std::optional<WallTime> oldest_appended_at() const;

  /// The sorter committed this block. Kept in memory when it continues the window and fits.
  void add(const InboxBlock& block);
  void acknowledge(InboxSeq through);
  /// Frees the window: a service that is DOWN costs its cursor and no more.
  void forget_window();

  /// True when the window must be extended from the database before `slice` can give up to
  /// `count_max` entries.
  [[nodiscard]] bool needs_blocks(std::size_t count_max) const;
  /// Where the window ends: the blocks to read are those after it.
  [[nodiscard]] InboxSeq window_end() const;
  /// Blocks read from the database, after `window_end()`.
  void extend(std::vector<InboxBlock> blocks);

  /// The first entries that are not acknowledged.
  Result<std::vector<InboxEntry>> slice(std::size_t count_max);

 private:
  Result<const std::vector<StreamId>*> positions(std::size_t block_index);

  InboxSeq acknowledged_;
  InboxSeq last_;
  std::optional<WallTime> oldest_appended_at_;
  std::deque<InboxBlock> window_;  ///< consecutive; its first block holds `acknowledged_ + 1`
  std::size_t window_bytes_ = 0;
  bool windowed_ = true;    ///< false: new blocks stay in the database only
  InboxSeq unpacked_last_;  ///< which block `unpacked_` belongs to
  std::vector<StreamId> unpacked_;
  std::vector<StreamId> other_;
};

}  // namespace postrider
