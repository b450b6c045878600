// Sorting. Facts are decided in linear order from where the last commit ended; interest in each is
// decided once, by the policy of the stream's format, and one commit carries the decisions as one
// row, the policy's state, how far the stream is sorted, and the transactions of idle services.
// Only then do inboxes in memory grow. A crash before the commit decides again; after it, never.
//
// The sorter takes part in every commit that appends to its stream, and decides in `prepare` on
// what is in order and in memory: also on what the commit is about to append, when that is known by
// then and nothing waits before it. What is left, or has to be read, is decided in the next commit.
//
// Interests change between two commits and not inside one: a fact that is appended after a change
// was answered is decided by the new ones. They are compiled, and stored state is read for them, on
// the reader's lane, while facts wait and the engine thread does not.
//
// Stored state is right for what this process has sorted as long as no other one sorts. One that
// lost its session without knowing it finds that out when it reads, or at the latest when it
// commits.
//
// A commit that fails leaves the policy's state ahead of the disk: it is thrown away and read anew.
// Sorting is tried again after a second; when this process no longer may commit, it ends.
#include "postrider/sort/sorter.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <prometheus/counter.h>

#include "postrider/base/log.hpp"
#include "postrider/store/streams.hpp"

namespace postrider {
namespace {

// How long a full or failing disk is left alone.
constexpr Duration storage_retry_delay = std::chrono::seconds{1};

/// What was read of the policy's state belongs to what this process has sorted. Another one, which
/// has ended this one's session, may have gone on meanwhile.
Result<void> check_sorted_through(SqlConnection& connection, StreamKey stream, StreamId sorted) {
  TRY(const StreamId stored, read_sorted_through(connection, stream));
  if (stored <= sorted) return {};
  return fail(Code::session_ended,
              "another process has taken over and has sorted it through {}; this one has come to {}"
              " and sorts no more",
              stored, sorted);
}

}  // namespace

/// What one commit of the sorter holds.
struct Sorter::Decisions {
  std::int64_t facts = 0;
  std::int64_t entries = 0;
  StreamId through;
  SortedPosition sorted;
  bool holds_prepared = false;  ///< some are on facts that the same commit appends
  DecisionRow row;
  DecisionGroups groups;
  std::map<ServiceKey, std::vector<StreamId>> by_service;
  StreamInterest::StateChange state;
  std::unique_ptr<InboxWrite> inboxes;  ///< null: writes nothing
};

Sorter::Sorter(Runtime& runtime, Commits& commits, Reader reader, Stream& stream, Inboxes& inboxes,
               DecisionTail& tail, DecidedBy decided_by, SorterSettings settings,
               SorterMetrics metrics)
    : runtime_(runtime),
      commits_(commits),
      reader_(reader),
      stream_(stream),
      inboxes_(inboxes),
      tail_(tail),
      decided_by_(decided_by),
      settings_(settings),
      metrics_(metrics),
      quarantine_(runtime, metrics.facts_quarantined),
      gate_(runtime),
      stop_requested_(runtime) {}

Sorter::~Sorter() = default;

void Sorter::start() {
  stream_.on_append_added([this] { join_next(); });
  gate_.spawn(run(), "sorter");
}

Async<void> Sorter::stop() {
  stopping_ = true;
  stop_requested_.notify_all();
  stream_.advanced().notify_all();
  tail_.changed().notify_all();
  co_await gate_.drained();
  stream_.on_append_added({});
  co_await commits_.leave(this);
}

Async<void> Sorter::run() {
  while (!stopping_) {
    if (pending_ || stream_.sorted_through() >= stream_.linear_position()) {
      co_await stream_.advanced().wait();
      continue;
    }
    if (tail_.is_full()) {
      // What is decided stays in memory until it is folded.
      co_await tail_.changed().wait();
      continue;
    }
    const bool was_together = !alone_max_;
    const Result<void> sorted = co_await sort_next();
    if (sorted) continue;
    if (sorted.error().code == Code::stopping) co_return;
    if (was_together && alone_max_) continue;
    log_error("sorting stream {}: {}", stream_.name(), sorted.error().detail);
    if (!stopping_) co_await stop_requested_.wait_until(runtime_.now() + storage_retry_delay);
  }
}

Async<Result<void>> Sorter::sort_next() {
  CO_TRY_VOID(co_await adopt_interests());
  const StreamId after = stream_.sorted_through();
  CO_TRY(FactRun run,
         co_await stream_.read(after, settings_.facts_max, Stream::WithAttributes::yes));
  // A registration that changed during the read must see the facts that follow it.
  const bool has_changed = adopted_version_ != inboxes_.interest_version();
  if (has_changed) co_return Result<void>{};
  if (run.chunks.empty() && run.unreadable) co_return co_await pass_by(*std::move(run.unreadable));
  if (run.chunks.empty()) {
    // IDs without facts are not worth a commit.
    stream_.set_sorted({run.through, stream_.sorted().facts_unwanted});
    co_return Result<void>{};
  }

  waiting_ = Waiting{after, std::move(run)};
  co_return alone_max_ ? co_await sort_alone() : co_await sort_together();
}

/// With all that the next commit holds: `prepare` decides, also on what that commit appends.
Async<Result<void>> Sorter::sort_together() {
  failure_.reset();
  join_next();
  std::function<Result<void>(SqlConnection&)> nothing = [](SqlConnection&) {
    return Result<void>{};
  };
  CO_TRY_VOID(co_await commits_.commit(std::move(nothing)));
  if (failure_) co_return std::unexpected(*std::exchange(failure_, std::nullopt));
  co_return Result<void>{};
}

/// As a write of its own, which is told that it is refused only when no other one is the cause.
Async<Result<void>> Sorter::sort_alone() {
  std::function<void()> prepare = [this] {
    CommitBudget budget;
    if (may_decide_now()) decide_next(budget);
  };
  std::function<Result<void>(SqlConnection&)> apply = [this](SqlConnection& connection) {
    return pending_ ? this->apply(connection) : Result<void>{};
  };
  const Result<void> outcome = co_await commits_.commit(std::move(prepare), std::move(apply));
  if (!pending_) co_return outcome;
  const std::int64_t facts = pending_->facts;
  const StreamId last = pending_->through;
  finish(outcome);
  if (outcome) {
    alone_max_ = 2 * *alone_max_;
    if (*alone_max_ >= settings_.facts_max) alone_max_.reset();
    co_return Result<void>{};
  }
  if (outcome.error().code != Code::storage_refused) co_return outcome;
  if (facts > 1) {
    alone_max_ = static_cast<std::size_t>(facts) / 2;
    co_return Result<void>{};
  }
  UnreadableFacts refused{{last, last}, "it is not decided: " + outcome.error().detail};
  co_return co_await pass_by(std::move(refused));
}

/// Goes on after facts that nobody gets.
Async<Result<void>> Sorter::pass_by(UnreadableFacts facts) {
  const StreamId through = std::min(facts.ids.last, stream_.linear_position());
  const SortedPosition sorted{through, stream_.sorted().facts_unwanted};
  Quarantine::Apply beside = [key = stream_.key(), sorted](SqlConnection& connection) {
    return set_sorted_through(connection, key, sorted.through, sorted.facts_unwanted);
  };
  is_passing_by_ = true;
  const Result<void> passed =
      co_await quarantine_.add(&commits_, &stream_, std::move(facts), std::move(beside));
  is_passing_by_ = false;
  CO_TRY_VOID(passed);
  stream_.set_sorted(sorted);
  tell_watches([&sorted](DecisionWatch& watch) { watch.advance(sorted.through); });
  co_return Result<void>{};
}

bool Sorter::may_decide_now() const {
  const bool is_adopted = interest_ && adopted_version_ == inboxes_.interest_version();
  const bool is_free = !pending_ && !is_passing_by_ && !tail_.is_full();
  return !stopping_ && is_free && is_adopted && commits_.may_act();
}

void Sorter::join_next() {
  if (std::exchange(is_joined_, true)) return;
  commits_.join_next(*this);
}

bool Sorter::prepare(CommitBudget& budget) {
  is_joined_ = false;
  if (!may_decide_now() || alone_max_ || budget.decisions <= 0) {
    if (!alone_max_) waiting_.reset();
    return false;
  }
  decide_next(budget);
  return pending_ != nullptr;
}

void Sorter::decide_next(CommitBudget& budget) {
  auto decisions = std::make_unique<Decisions>(decide_waiting(budget));
  if (decisions->facts > 0) pending_ = std::move(decisions);
}

Sorter::Decisions Sorter::decide_waiting(CommitBudget& budget) {
  const std::vector<Chunk> chunks = take_waiting();
  if (chunks.empty()) return {};
  Decisions decisions = decide_all(chunks);
  budget.decisions -= decisions.facts + decisions.entries;
  decisions.holds_prepared = decisions.through > stream_.linear_position();
  if (decisions.entries > 0) {
    decisions.inboxes = inboxes_.prepare_inboxes(
        {stream_.key(), stream_.name(), chunks, decisions.by_service, budget.transactions});
  }
  return decisions;
}

/// What is in order and not sorted, as far as it is in memory; if that is all, what the commit
/// appends too, up to the most facts of a commit.
std::vector<Chunk> Sorter::take_waiting() {
  const StreamId sorted = stream_.sorted_through();
  auto waiting = std::exchange(waiting_, std::nullopt);
  if (!waiting || waiting->after != sorted) {
    auto run = stream_.read_memory(sorted, settings_.facts_max, Stream::WithAttributes::yes);
    if (!run) return {};
    waiting = Waiting{sorted, *std::move(run)};
  }
  std::vector<Chunk> chunks = std::move(waiting->run.chunks);
  if (alone_max_ || waiting->run.through < stream_.linear_position()) return chunks;
  std::size_t facts = 0;
  for (const Chunk& chunk : chunks) facts += chunk.count;
  for (const Chunk& chunk : stream_.prepared()) {
    if (facts >= settings_.facts_max) break;
    chunks.push_back(chunk);
    facts += chunk.count;
  }
  return chunks;
}

/// On the committer's lane.
Result<void> Sorter::apply(SqlConnection& connection) {
  if (pending_->holds_prepared && !stream_.are_prepared_written()) return {};
  const StreamKey key = stream_.key();
  if (pending_->entries > 0) TRY_VOID(insert_decisions(connection, key, pending_->row));
  if (pending_->state) TRY_VOID(pending_->state(connection));
  if (pending_->inboxes) TRY_VOID(pending_->inboxes->apply(connection));
  return set_sorted_through(connection, key, pending_->sorted.through,
                            pending_->sorted.facts_unwanted);
}

void Sorter::finish(const Result<void>& outcome) {
  const bool was_left_out = pending_->holds_prepared && !stream_.are_prepared_written();
  const bool is_committed = outcome && !was_left_out;
  if (is_committed) {
    publish();
  } else {
    if (!outcome) failure_ = outcome.error();
    const bool is_refused = !outcome && outcome.error().code == Code::storage_refused;
    if (is_refused && !alone_max_) alone_max_ = settings_.facts_max;
    interest_.reset();  // it ran ahead of the disk
    adopted_version_ = 0;
  }
  const auto ended = std::exchange(pending_, nullptr);
  if (ended->inboxes) ended->inboxes->finish(is_committed);
  stream_.advanced().notify_all();
}

void Sorter::publish() {
  const std::int64_t unwanted = pending_->sorted.facts_unwanted - stream_.sorted().facts_unwanted;
  stream_.set_sorted(pending_->sorted);
  metrics_.facts_unwanted.Increment(static_cast<double>(unwanted));
  metrics_.facts_sorted.Increment(static_cast<double>(pending_->facts));
  metrics_.inbox_entries.Increment(static_cast<double>(pending_->entries));
  const WallTime appended_at = pending_->row.appended_at;
  if (pending_->entries > 0) tail_.add(std::move(pending_->row));
  for (const auto& [service, positions] : pending_->by_service) {
    inboxes_.add_to_inbox(service, stream_.key(), positions, appended_at);
  }
  const StreamId through = pending_->through;
  tell_watches([through](DecisionWatch& watch) { watch.advance(through); });
}

Async<Result<void>> Sorter::adopt_interests() {
  if (adopted_version_ == inboxes_.interest_version()) co_return Result<void>{};
  const InterestCatalog::Current current =
      co_await decided_by_.catalog.current(&decided_by_.policy);
  if (!interest_) interest_ = decided_by_.policy.open(stream_.key(), stream_.name());
  auto work = [this, &current, sorted = stream_.sorted_through()]() -> Result<void> {
    TRY_VOID(interest_->adopt(reader_.connection, current.rules));
    return check_sorted_through(reader_.connection, stream_.key(), sorted);
  };
  const Result<void> adopted = co_await run_on(reader_.lane, work);
  if (adopted) {
    adopted_version_ = current.version;
  } else {
    interest_.reset();
    adopted_version_ = 0;
  }
  co_return adopted;
}

Sorter::Decisions Sorter::decide_all(std::span<const Chunk> chunks) {
  Decisions decisions;
  decisions.sorted = stream_.sorted();
  for (const Chunk& chunk : chunks) {
    if (!is_full(decisions)) decide_chunk(chunk, decisions);
  }
  decisions.sorted.through = decisions.through;
  const StreamId after = stream_.sorted_through();
  decisions.row = {.after = after,
                   .through = decisions.through,
                   .entries = decisions.entries,
                   .appended_at = chunks.front().appended_at,
                   .data = pack_decisions(after, decisions.groups.groups())};
  decisions.state = interest_->take_changes();
  return decisions;
}

void Sorter::decide_chunk(const Chunk& chunk, Decisions& decisions) {
  for (StreamId id = chunk.first; id <= chunk.last() && !is_full(decisions); id = id.plus(1)) {
    const ServiceSet services = interest_->decide(chunk.attributes(id));
    if (services.empty()) {
      ++decisions.sorted.facts_unwanted;
    } else {
      decisions.groups.add(id, services);
    }
    for (const ServiceKey service : services) decisions.by_service[service].push_back(id);
    decisions.entries += std::ssize(services);
    decisions.through = id;
    ++decisions.facts;
    if (watches_.empty()) continue;
    tell_watches([&](DecisionWatch& watch) { watch.add(id, chunk.writer, services); });
  }
}

bool Sorter::is_full(const Decisions& decisions) const {
  const std::int64_t facts_max = alone_max_ ? static_cast<std::int64_t>(*alone_max_)
                                            : std::numeric_limits<std::int64_t>::max();
  return decisions.entries >= settings_.entries_max || decisions.facts >= facts_max;
}

std::shared_ptr<DecisionWatch> Sorter::watch(InstanceKey writer) {
  auto watch = std::make_shared<DecisionWatch>(runtime_, writer);
  watches_.push_back(watch);
  return watch;
}

void Sorter::tell_watches(const std::function<void(DecisionWatch&)>& tell) {
  std::erase_if(watches_, [&tell](const std::weak_ptr<DecisionWatch>& held) {
    const auto watch = held.lock();
    if (watch) tell(*watch);
    return watch == nullptr;
  });
}

}  // namespace postrider
