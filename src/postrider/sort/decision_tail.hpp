#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "postrider/runtime/event.hpp"
#include "postrider/sort/decisions.hpp"
#include "postrider/store/decisions.hpp"

namespace postrider {

/// The decisions of one stream that compaction has not folded yet, as they are on disk. Compaction
/// bounds them. Engine thread.
class DecisionTail {
 public:
  struct TailRow : DecisionRow {
    MonoTime added_at{};
  };
  using Row = std::shared_ptr<const TailRow>;

  /// Past this the sorter waits for compaction.
  static constexpr std::size_t bytes_max = 4U << 20;

  explicit DecisionTail(Runtime& runtime) : runtime_(runtime), changed_(runtime) {}

  /// What the database holds. Once, before anything else. Fails when the rows do not follow one
  /// another.
  Result<void> load(StoredDecisions stored);
  /// The row is on disk.
  void add(DecisionRow row);
  /// The rows up to `through` were folded.
  void fold(StreamId through);

  /// All that was decided up to here is in inbox blocks.
  [[nodiscard]] StreamId begin() const { return begin_; }
  [[nodiscard]] StreamId end() const { return rows_.empty() ? begin_ : rows_.back()->through; }
  [[nodiscard]] const std::deque<Row>& rows() const { return rows_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool is_full() const { return bytes_ > bytes_max; }
  /// What is left in a tail: rows that were added after a time, up to a number of bytes.
  struct Kept {
    std::size_t bytes = 0;
    MonoTime added_after = MonoTime::max();
  };
  /// The first rows, but for those that are `kept`, until they cost `cost_least` together. A row
  /// costs its bytes and one for each entry.
  [[nodiscard]] std::vector<Row> oldest(std::int64_t cost_least, const Kept& kept) const;
  static std::int64_t cost(std::span<const Row> rows);
  /// After each `add` and `fold`.
  Event& changed() { return changed_; }

  using Visit = std::function<bool(std::vector<StreamId> positions, WallTime appended_at)>;
  /// The service's positions after `after`, row by row, until `visit` returns false. True when it
  /// never did. Fails when a row is damaged.
  Result<bool> visit(ServiceKey service, StreamId after, const Visit& visit) const;

 private:
  Runtime& runtime_;
  StreamId begin_;
  std::deque<Row> rows_;
  std::size_t bytes_ = 0;
  Event changed_;
};

/// Those of all streams of the database.
class DecisionTails {
 public:
  explicit DecisionTails(Runtime& runtime) : runtime_(runtime) {}

  Result<void> load(std::vector<StoredDecisions> stored);
  /// Empty for a stream that is new.
  DecisionTail& of(StreamKey stream);
  [[nodiscard]] const std::map<StreamKey, std::unique_ptr<DecisionTail>>& all() const {
    return tails_;
  }

 private:
  Runtime& runtime_;
  std::map<StreamKey, std::unique_ptr<DecisionTail>> tails_;
};

}  // namespace postrider
