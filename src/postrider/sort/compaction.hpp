#pragma once

#include <cstddef>
#include <map>

#include "postrider/commit/committer.hpp"
#include "postrider/runtime/gate.hpp"
#include "postrider/sort/decision_tail.hpp"

namespace postrider {

struct CompactionSettings {
  std::size_t tail_bytes = 256U << 10;  ///< of one stream, from which on its oldest rows are folded
  /// After which a row is folded anyway, counted since it was decided here or the start.
  Duration row_age_max = std::chrono::minutes{1};
  /// Folded in one commit. A row costs its bytes and one for each entry, which is what it takes in
  /// a block. Large enough that where thousands of services are behind, each gets some positions.
  std::int64_t step_cost = 1 << 20;
  std::int64_t cost_per_second = 8 << 20;  ///< of one stream, unless its tail is full

  bool operator==(const CompactionSettings&) const = default;
};

/// Folds the oldest decisions into inbox blocks of the services that have not got them yet: runs of
/// rows that name many services become blocks of one service each, of up to a thousand positions.
/// A service that keeps up has none. Engine thread.
class Compaction {
 public:
  static constexpr std::int64_t block_facts_max = 1000;

  /// References must outlive this.
  Compaction(Runtime& runtime, Commits& commits, DecisionTails& tails, CompactionSettings settings);

  void start();
  /// Of a stream that is new; also before `start`. `retain`: how long its facts are kept. None can
  /// be deleted before the row that names it is folded, so that no row gets older than this.
  void watch(StreamKey stream, Duration retain = Duration::max());
  /// Ends after the commit that is under way.
  Async<void> stop();

  /// Folds the oldest rows of the stream but for those that are `kept`; there are some. Returns
  /// what they cost.
  Async<Result<std::int64_t>> fold_step(StreamKey stream, DecisionTail::Kept kept);

 private:
  Async<void> run(StreamKey stream, Duration row_age_max);
  Async<void> wait_until_due(DecisionTail* tail, Duration row_age_max);
  Async<void> rest(DecisionTail* tail, Duration pause);
  [[nodiscard]] DecisionTail::Kept kept_now(Duration row_age_max) const;

  Runtime& runtime_;
  Commits& commits_;
  DecisionTails& tails_;
  CompactionSettings settings_;
  std::map<StreamKey, Duration> waiting_;  ///< streams that were watched before the start
  Gate gate_;
  Event stop_requested_;
  bool started_ = false;
  bool stopping_ = false;
};

}  // namespace postrider
