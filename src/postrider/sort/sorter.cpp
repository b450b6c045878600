// Sorting. Facts are read in linear order from where the last commit ended; interest in each is
// decided once, by the policy of the stream's format, and one commit carries the decisions as one
// row, the policy's state, and how far the stream is sorted. Only then do inboxes in memory grow. A
// crash before the commit decides again; after it, never.
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
  StreamId after;
  StreamId through;
  WallTime appended_at{};
  std::int64_t facts = 0;
  std::int64_t entries = 0;
  std::int64_t unwanted = 0;
  DecisionGroups groups;
  std::map<ServiceKey, std::vector<StreamId>> by_service;
  StreamInterest::StateChange state;

  [[nodiscard]] DecisionRow row() const {
    return {.after = after,
            .through = through,
            .entries = entries,
            .appended_at = appended_at,
            .data = pack_decisions(after, groups.groups())};
  }
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
      gate_(runtime),
      stop_requested_(runtime) {}

void Sorter::start() {
  gate_.spawn(run(), "sorter");
}

Async<void> Sorter::stop() {
  stopping_ = true;
  stop_requested_.notify_all();
  stream_.advanced().notify_all();
  tail_.changed().notify_all();
  co_await gate_.drained();
}

Async<void> Sorter::run() {
  while (!stopping_) {
    if (stream_.sorted_through() >= stream_.linear_position()) {
      co_await stream_.advanced().wait();
      continue;
    }
    co_await wait_for_compaction();
    if (stopping_) co_return;
    const Result<void> sorted = co_await sort_next();
    if (sorted) continue;
    if (sorted.error().code == Code::stopping) co_return;
    log_error("sorting stream {}: {}", stream_.name(), sorted.error().detail);
    co_await stop_requested_.wait_until(runtime_.now() + storage_retry_delay);
  }
}

Async<Result<void>> Sorter::sort_next() {
  CO_TRY_VOID(co_await adopt_interests());
  CO_TRY(const FactRun run, co_await stream_.read(stream_.sorted_through(), settings_.facts_max,
                                                  Stream::WithAttributes::yes));
  // A registration that changed during the read must see the facts that follow it.
  const bool has_changed = adopted_version_ != inboxes_.interest_version();
  if (has_changed) co_return Result<void>{};
  if (run.chunks.empty()) {
    // IDs without facts are not worth a commit.
    stream_.set_sorted({run.through, stream_.sorted().facts_unwanted});
    co_return Result<void>{};
  }

  Decisions decisions = decide_all(run.chunks);
  DecisionRow row = decisions.row();
  const StreamKey key = stream_.key();
  const SortedPosition sorted{decisions.through,
                              stream_.sorted().facts_unwanted + decisions.unwanted};
  std::function<Result<void>(SqlConnection&)> apply =
      [&decisions, &row, key, sorted](SqlConnection& connection) -> Result<void> {
    if (decisions.entries > 0) TRY_VOID(insert_decisions(connection, key, row));
    if (decisions.state) TRY_VOID(decisions.state(connection));
    return set_sorted_through(connection, key, sorted.through, sorted.facts_unwanted);
  };
  const Result<void> committed = co_await commits_.commit(std::move(apply));
  if (committed) {
    publish(decisions, std::move(row));
  } else {
    interest_.reset();  // it ran ahead of the disk
    adopted_version_ = 0;
  }
  co_return committed;
}

/// What is decided stays in memory until it is folded.
Async<void> Sorter::wait_for_compaction() {
  while (tail_.is_full() && !stopping_) co_await tail_.changed().wait();
}

void Sorter::publish(const Decisions& decisions, DecisionRow row) {
  stream_.set_sorted({decisions.through, stream_.sorted().facts_unwanted + decisions.unwanted});
  metrics_.facts_unwanted.Increment(static_cast<double>(decisions.unwanted));
  metrics_.facts_sorted.Increment(static_cast<double>(decisions.facts));
  metrics_.inbox_entries.Increment(static_cast<double>(decisions.entries));
  if (decisions.entries > 0) tail_.add(std::move(row));
  for (const auto& [service, positions] : decisions.by_service) {
    inboxes_.add_to_inbox(service, stream_.key(), positions, decisions.appended_at);
  }
  tell_watches([&decisions](DecisionWatch& watch) { watch.advance(decisions.through); });
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

Sorter::Decisions Sorter::decide_all(const std::vector<Chunk>& chunks) {
  Decisions decisions;
  decisions.after = stream_.sorted_through();
  decisions.appended_at = chunks.front().appended_at;
  for (const Chunk& chunk : chunks) {
    if (!is_full(decisions)) decide_chunk(chunk, decisions);
  }
  decisions.state = interest_->take_changes();
  return decisions;
}

void Sorter::decide_chunk(const Chunk& chunk, Decisions& decisions) {
  for (StreamId id = chunk.first; id <= chunk.last() && !is_full(decisions); id = id.plus(1)) {
    const ServiceSet services = interest_->decide(chunk.attributes(id));
    if (services.empty()) {
      ++decisions.unwanted;
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
  return decisions.entries >= settings_.entries_max;
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
