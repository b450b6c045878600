#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "postrider/runtime/gate.hpp"
#include "postrider/sort/decision_tail.hpp"
#include "postrider/sort/decision_watch.hpp"
#include "postrider/sort/inboxes.hpp"
#include "postrider/sort/interest_catalog.hpp"
#include "postrider/sort/interest_policy.hpp"
#include "postrider/stream/stream.hpp"

namespace prometheus {
class Counter;
}  // namespace prometheus

namespace postrider {

struct SorterSettings {
  std::size_t facts_max = 10'000;  ///< decided in one commit
  /// Entries that one commit may hold; it ends with the fact that comes to so many.
  std::int64_t entries_max = 500'000;

  bool operator==(const SorterSettings&) const = default;
};

/// How interest is decided in the stream.
struct DecidedBy {
  InterestCatalog& catalog;
  const InterestPolicy& policy;
};

struct SorterMetrics {
  prometheus::Counter& facts_sorted;
  prometheus::Counter& inbox_entries;
  prometheus::Counter& facts_unwanted;  ///< of this stream: that no service gets
};

/// Reads one stream in linear order, decides interest in each fact once, and freezes the decision:
/// the row of the decision log, the policy's state and the sorter's position are one commit. A
/// change of registrations takes effect between two such commits, before any fact that was appended
/// after the change was answered. Engine thread.
class Sorter {
 public:
  Sorter(Runtime& runtime, Commits& commits, Reader reader, Stream& stream, Inboxes& inboxes,
         DecisionTail& tail, DecidedBy decided_by, SorterSettings settings, SorterMetrics metrics);

  void start();
  /// Ends after the commit that is under way.
  Async<void> stop();

  /// What is decided of the writer's facts from now on, while somebody holds it.
  [[nodiscard]] std::shared_ptr<DecisionWatch> watch(InstanceKey writer);

 private:
  struct Decisions;

  Async<void> run();
  Async<Result<void>> sort_next();
  Async<Result<void>> adopt_interests();
  Async<void> wait_for_compaction();
  Decisions decide_all(const std::vector<Chunk>& chunks);
  void decide_chunk(const Chunk& chunk, Decisions& decisions);
  [[nodiscard]] bool is_full(const Decisions& decisions) const;
  void publish(const Decisions& decisions, DecisionRow row);
  void tell_watches(const std::function<void(DecisionWatch&)>& tell);

  Runtime& runtime_;
  Commits& commits_;
  Reader reader_;
  Stream& stream_;
  Inboxes& inboxes_;
  DecisionTail& tail_;
  DecidedBy decided_by_;
  SorterSettings settings_;
  SorterMetrics metrics_;
  std::uint64_t adopted_version_ = 0;
  std::unique_ptr<StreamInterest> interest_;  ///< null: to be opened anew from what is stored
  std::vector<std::weak_ptr<DecisionWatch>> watches_;
  Gate gate_;
  Event stop_requested_;
  bool stopping_ = false;
};

}  // namespace postrider
