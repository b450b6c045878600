#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/base/time.hpp"

namespace postrider {

/// What one service is still to get of one stream. All of it is in the database; here are its ends,
/// and a bounded window of positions while the service takes transactions.
class Inbox {
 public:
  static constexpr std::size_t window_max = 8192;  ///< positions that `add` keeps

  Inbox() = default;
  /// As the database has it. `behind`: facts after `acknowledged`.
  Inbox(StreamId acknowledged, std::int64_t behind, std::optional<WallTime> oldest_appended_at);

  [[nodiscard]] StreamId acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::int64_t behind() const { return behind_; }
  /// When the oldest fact was appended to its stream, or a little before; empty when none waits.
  [[nodiscard]] std::optional<WallTime> oldest_appended_at() const;

  /// The service gets the facts at `positions` too. They are kept in memory when they continue the
  /// window and fit.
  void add(std::span<const StreamId> positions, WallTime appended_at);
  /// `count`: facts up to `through` that were not acknowledged before.
  void acknowledge(StreamId through, std::int64_t count);
  /// Frees the window: a service that is DOWN costs its cursor and no more.
  void forget_window();

  /// False when the window holds so much that no more is to be read into it.
  [[nodiscard]] bool has_room() const { return window().size() < window_max; }
  /// True when the window must be extended before it holds the first `count_max` positions, or all
  /// up to `through`; or all that there are, if these are less.
  [[nodiscard]] bool needs_more(std::size_t count_max) const;
  [[nodiscard]] bool needs_more_through(StreamId through) const;
  /// The window holds all positions up to here: those to read are after it.
  [[nodiscard]] StreamId known_through() const { return known_through_; }
  /// Positions that follow `known_through`; what was known before is left out.
  void extend(std::span<const StreamId> positions, WallTime appended_at);
  /// How many positions it holds that are not after `through`.
  [[nodiscard]] std::size_t count_through(StreamId through) const;
  /// There are no others up to `through`.
  void set_known_through(StreamId through);
  /// There are no others at all: what `add` brings continues the window.
  void set_complete() { is_complete_ = true; }

  /// True when the window does not hold all that the service is behind.
  [[nodiscard]] bool is_missing_some() const;

  /// The first positions after `after` that are not acknowledged.
  [[nodiscard]] std::vector<StreamId> slice_after(StreamId after, std::size_t count_max) const;
  [[nodiscard]] std::vector<StreamId> slice_through(StreamId through) const;

 private:
  /// Of the positions up to `last`, back to those of the mark before.
  struct Mark {
    StreamId last;
    WallTime appended_at{};
  };
  [[nodiscard]] std::span<const StreamId> window() const;
  void push(std::span<const StreamId> positions, WallTime appended_at);

  StreamId acknowledged_;
  std::int64_t behind_ = 0;
  std::optional<WallTime> oldest_appended_at_;
  std::vector<StreamId> window_;  ///< from `window_begin_` on; those before were acknowledged
  std::size_t window_begin_ = 0;
  std::vector<Mark> marks_;  ///< of the window
  StreamId known_through_;
  bool is_complete_ = true;
};

}  // namespace postrider
