// Compaction. One coroutine for each stream waits until its tail of decisions is too long or too
// old, and folds the oldest rows, in one commit: what a service has not acknowledged goes into its
// inbox blocks, the rows are deleted, and the stream remembers up to where that was done.
//
// What a service has acknowledged is read in that same transaction, so that it does not matter
// which process delivers, and memory that runs ahead of the disk does no harm. Whoever reads an
// inbox reads first up to where decisions were folded and then the blocks: all up to there is in
// them, and what follows is in the tail.
#include "postrider/sort/compaction.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "postrider/base/log.hpp"
#include "postrider/base/varint.hpp"
#include "postrider/sort/positions.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/inbox.hpp"

namespace postrider {
namespace {

constexpr Duration storage_retry_delay = std::chrono::seconds{1};

/// One step of compaction, inside its transaction.
class FoldStep {
 public:
  FoldStep(SqlConnection& connection, StreamKey stream, const std::vector<DecisionTail::Row>& rows)
      : connection_(connection), stream_(stream), rows_(rows) {}

  Result<void> run() {
    for (const DecisionTail::Row& row : rows_) {
      TRY(auto groups, unpack_decisions(row->after, row->through, row->data));
      for (const DecisionGroup& group : groups) {
        services_.insert(group.services.begin(), group.services.end());
      }
      groups_.push_back(std::move(groups));
    }
    if (!services_.empty()) TRY_VOID(fold_services());
    return fold_decisions(connection_, stream_, rows_.back()->through);
  }

 private:
  Result<void> fold_services() {
    const ServiceRange range{*services_.begin(), *services_.rbegin()};
    TRY(acknowledged_, read_acknowledged(connection_, stream_, range));
    TRY(last_, last_inbox_blocks(connection_, stream_, range, Compaction::block_facts_max));
    for (const ServiceKey service : services_) TRY_VOID(fold(service));
    return {};
  }

  Result<void> fold(ServiceKey service) {
    const auto cursor = acknowledged_.find(service);
    const StreamId acknowledged = cursor == acknowledged_.end() ? StreamId{} : cursor->second;
    InboxBlock block;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i]->through <= acknowledged) continue;
      for (const StreamId id : positions_of(service, groups_[i])) {
        if (id <= acknowledged) continue;
        if (block.fact_count == 0) TRY_VOID(continue_last(service, block));
        add(block, id, rows_[i]->appended_at);
        if (block.fact_count == Compaction::block_facts_max) TRY_VOID(store(service, block));
      }
    }
    if (block.fact_count == 0) return {};
    return store(service, block);
  }

  /// A block that is not full goes on.
  Result<void> continue_last(ServiceKey service, InboxBlock& block) {
    const auto last = last_.find(service);
    if (last == last_.end()) return {};
    const bool is_sound = last->second.last <= rows_.front()->after;
    if (!is_sound) return {};  // damaged; whoever reads it says so
    block = std::move(last->second);
    last_.erase(last);
    return drop_inbox_block(connection_, service, stream_, block.last);
  }

  static void add(InboxBlock& block, StreamId id, WallTime appended_at) {
    if (block.fact_count == 0) {
      block.first = id;
      block.appended_at = appended_at;
    } else {
      append_position(block.positions, block.last, id);
    }
    block.last = id;
    block.appended_at = std::min(block.appended_at, appended_at);
    ++block.fact_count;
  }

  Result<void> store(ServiceKey service, InboxBlock& block) {
    TRY_VOID(insert_inbox_block(connection_, service, stream_, block));
    block = {};
    return {};
  }

  SqlConnection& connection_;
  StreamKey stream_;
  const std::vector<DecisionTail::Row>& rows_;
  std::vector<std::vector<DecisionGroup>> groups_;
  std::set<ServiceKey> services_;
  std::map<ServiceKey, StreamId> acknowledged_;
  std::map<ServiceKey, InboxBlock> last_;  ///< those that are not full
};

}  // namespace

Compaction::Compaction(Runtime& runtime, Commits& commits, DecisionTails& tails,
                       CompactionSettings settings)
    : runtime_(runtime),
      commits_(commits),
      tails_(tails),
      settings_(settings),
      gate_(runtime),
      stop_requested_(runtime) {}

void Compaction::start() {
  started_ = true;
  for (const auto& [stream, retain] : waiting_) watch(stream, retain);
}

void Compaction::watch(StreamKey stream, Duration retain) {
  if (started_) {
    gate_.spawn(run(stream, std::min(settings_.row_age_max, retain)), "compaction");
  } else {
    waiting_[stream] = retain;
  }
}

Async<void> Compaction::stop() {
  stopping_ = true;
  stop_requested_.notify_all();
  for (const auto& [stream, tail] : tails_.all()) tail->changed().notify_all();
  co_await gate_.drained();
}

DecisionTail::Kept Compaction::kept_now(Duration row_age_max) const {
  return {.bytes = settings_.tail_bytes, .added_after = runtime_.now() - row_age_max};
}

Async<void> Compaction::wait_until_due(DecisionTail* tail, Duration row_age_max) {
  while (!stopping_ && tail->oldest(1, kept_now(row_age_max)).empty()) {
    if (tail->rows().empty()) {
      co_await tail->changed().wait();
    } else {
      co_await tail->changed().wait_until(tail->rows().front()->added_at + row_age_max);
    }
  }
}

Async<void> Compaction::run(StreamKey stream, Duration row_age_max) {
  DecisionTail& tail = tails_.of(stream);
  while (true) {
    co_await wait_until_due(&tail, row_age_max);
    if (stopping_) co_return;
    const Result<std::int64_t> cost = co_await fold_step(stream, kept_now(row_age_max));
    if (!cost && cost.error().code == Code::stopping) co_return;
    if (cost) {
      co_await rest(&tail,
                    std::chrono::microseconds{1'000'000 * *cost / settings_.cost_per_second});
    } else {
      log_error("compaction of stream {}: {}", stream, cost.error().detail);
      if (stopping_) co_return;
      co_await stop_requested_.wait_until(runtime_.now() + storage_retry_delay);
    }
  }
}

/// A full tail is in a hurry.
Async<void> Compaction::rest(DecisionTail* tail, Duration pause) {
  const MonoTime resumes_at = runtime_.now() + pause;
  while (!stopping_ && !tail->is_full() && runtime_.now() < resumes_at) {
    co_await tail->changed().wait_until(resumes_at);
  }
}

Async<Result<std::int64_t>> Compaction::fold_step(StreamKey stream, DecisionTail::Kept kept) {
  DecisionTail& tail = tails_.of(stream);
  const auto rows = tail.oldest(settings_.step_cost, kept);
  std::function<Result<void>(SqlConnection&)> apply = [&rows, stream](SqlConnection& connection) {
    return FoldStep(connection, stream, rows).run();
  };
  CO_TRY_VOID(co_await commits_.commit(std::move(apply)));
  tail.fold(rows.back()->through);
  co_return DecisionTail::cost(rows);
}

}  // namespace postrider
