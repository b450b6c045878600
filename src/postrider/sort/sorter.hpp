#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "postrider/runtime/gate.hpp"
#include "postrider/sort/decision_tail.hpp"
#include "postrider/sort/decision_watch.hpp"
#include "postrider/sort/inboxes.hpp"
#include "postrider/sort/interest_catalog.hpp"
#include "postrider/sort/interest_policy.hpp"
#include "postrider/stream/quarantine.hpp"
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
  prometheus::Counter& facts_quarantined;
};

/// Reads one stream in linear order, decides interest in each fact once, and freezes the decision:
/// the row of the decision log, the policy's state and the sorter's position are one commit. A
/// change of registrations takes effect between two such commits, before any fact that was appended
/// after the change was answered.
///
/// What cannot be read, or not be decided, goes to quarantine, and the sorter goes on after it.
/// When the database refuses a commit, facts are decided in commits of their own, fewer and fewer
/// of them until the one is found with which it does.
///
/// Where this process alone writes, the commit that appends facts carries the decisions on them
/// too, when all before them is decided or in memory. Else the next commit does; with other writers
/// the order of facts is known only then. Engine thread.
class Sorter final : private CommitParticipant {
 public:
  /// `commits` are accepted while this process may sort. References must outlive the sorter.
  Sorter(Runtime& runtime, Commits& commits, Reader reader, Stream& stream, Inboxes& inboxes,
         DecisionTail& tail, DecidedBy decided_by, SorterSettings settings, SorterMetrics metrics);

  ~Sorter() override;

  void start();
  /// Ends after the commit that is under way.
  Async<void> stop();

  /// What is decided of the writer's facts from now on, while somebody holds it.
  [[nodiscard]] std::shared_ptr<DecisionWatch> watch(InstanceKey writer);

 private:
  struct Decisions;
  /// Facts that were read and are to be decided when the next commit begins.
  struct Waiting {
    StreamId after;
    FactRun run;
  };

  // As a participant in commits.
  void join_next();
  bool prepare(CommitBudget& budget) override;
  Result<void> apply(SqlConnection& connection) override;
  void finish(const Result<void>& outcome) override;

  [[nodiscard]] bool may_decide_now() const;
  /// Sets `pending_` when there is something to decide.
  void decide_next(CommitBudget& budget);
  [[nodiscard]] Decisions decide_waiting(CommitBudget& budget);
  [[nodiscard]] std::vector<Chunk> take_waiting();
  Async<void> run();
  Async<Result<void>> sort_next();
  Async<Result<void>> sort_together();
  Async<Result<void>> sort_alone();
  Async<Result<void>> pass_by(UnreadableFacts facts);
  Async<Result<void>> adopt_interests();
  Decisions decide_all(std::span<const Chunk> chunks);
  void decide_chunk(const Chunk& chunk, Decisions& decisions);
  [[nodiscard]] bool is_full(const Decisions& decisions) const;
  void publish();
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
  Quarantine quarantine_;
  std::uint64_t adopted_version_ = 0;
  std::unique_ptr<StreamInterest> interest_;  ///< null: to be opened anew from what is stored
  std::optional<Waiting> waiting_;
  std::unique_ptr<Decisions> pending_;  ///< of the commit under way
  std::optional<Error> failure_;        ///< of the last commit, which others may have survived
  /// How many facts a commit decides that holds nothing else, after one was refused.
  std::optional<std::size_t> alone_max_;
  std::vector<std::weak_ptr<DecisionWatch>> watches_;
  Gate gate_;
  Event stop_requested_;
  bool is_passing_by_ = false;  ///< facts that go to quarantine
  bool is_joined_ = false;      ///< to the next commit
  bool stopping_ = false;
};

}  // namespace postrider
