#include "postrider/commit/committer.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "postrider/base/log.hpp"
#include "postrider/runtime/reply.hpp"
#include "postrider/runtime/yield.hpp"

namespace postrider {
namespace {

constexpr Duration retry_pause_min = std::chrono::milliseconds{50};
constexpr Duration retry_pause_max = std::chrono::seconds{2};
// Longer than a database takes to start again, shorter than its clients wait.
constexpr Duration retry_time_max = std::chrono::seconds{15};
// What passes at once is nothing to speak of.
constexpr Duration quiet_time_max = std::chrono::seconds{1};

class AwaitedWrite final : public Write {
 public:
  AwaitedWrite(std::function<void()> prepare, std::function<Result<void>(SqlConnection&)> apply,
               Reply<Result<void>> reply)
      : prepare_(std::move(prepare)), apply_(std::move(apply)), reply_(std::move(reply)) {}

  void prepare() override { prepare_(); }
  Result<void> apply(SqlConnection& connection) override { return apply_(connection); }
  void finish(const Result<void>& outcome) override { reply_(outcome); }

 private:
  std::function<void()> prepare_;
  std::function<Result<void>(SqlConnection&)> apply_;
  Reply<Result<void>> reply_;
};

/// Whether it is what one write holds that cannot be committed, and not the database that fails.
bool is_of_one_write(const Result<void>& outcome) {
  if (outcome) return false;
  switch (outcome.error().code) {
    case Code::storage_full:
    case Code::storage_failed:
    case Code::storage_unavailable:
    case Code::storage_incompatible:
    case Code::storage_locked:
    case Code::session_ended:
    case Code::stopping:
    case Code::internal:
      return false;
    default:
      return true;
  }
}

/// Whether the database fails, or cannot be reached.
bool is_of_database(const Result<void>& outcome) {
  return !outcome && (outcome.error().code == Code::storage_unavailable ||
                      outcome.error().code == Code::storage_failed ||
                      outcome.error().code == Code::storage_locked ||
                      outcome.error().code == Code::storage_incompatible);
}

std::unexpected<Error> session_ended() {
  return fail(Code::session_ended, "the session of this process has ended; try again");
}

}  // namespace

Async<Result<void>> Commits::commit(std::function<Result<void>(SqlConnection&)> apply) {
  std::function<void()> nothing = [] {};
  co_return co_await commit(std::move(nothing), std::move(apply));
}

Committer::Committer(Runtime& runtime, Reader writer, Reader background, CommitterMetrics metrics,
                     CommitFence* fence)
    : runtime_(runtime),
      lane_(writer.lane),
      connection_(writer.connection),
      background_(background),
      metrics_(metrics),
      fence_(fence),
      changed_(runtime),
      gate_(runtime),
      stop_requested_(runtime) {}

void Committer::start() {
  gate_.spawn(run(), "committer");
}

Async<void> Committer::stop() {
  stopping_ = true;
  changed_.notify_all();
  stop_requested_.notify_all();
  co_await gate_.drained();
}

void Committer::submit(std::unique_ptr<Write> write) {
  if (stopping_) {
    write->finish(fail(Code::stopping, "the server is stopping"));
    return;
  }
  if (fence_ != nullptr && fence_->has_ended()) {
    write->finish(session_ended());
    return;
  }
  queue_.push_back(std::move(write));
  changed_.notify_all();
}

Async<Result<void>> Committer::commit(std::function<void()> prepare,
                                      std::function<Result<void>(SqlConnection&)> apply) {
  auto start = [this, &prepare, &apply](Reply<Result<void>> reply) {
    submit(std::make_unique<AwaitedWrite>(std::move(prepare), std::move(apply), std::move(reply)));
  };
  co_return co_await await_reply<Result<void>>(runtime_.executor(), start);
}

bool Committer::may_act() const {
  return fence_ == nullptr || fence_->is_valid(runtime_.now());
}

std::shared_ptr<const SendPermit> Committer::permit() const {
  return fence_ == nullptr ? nullptr : fence_->permit();
}

Async<void> Committer::drained() {
  while (is_committing_ || !queue_.empty()) co_await changed_.wait();
}

/// On the lane.
Result<void> Committer::attempt(const Batch& batch) {
  auto done = transact(connection_, [this, &batch]() -> Result<void> {
    if (fence_ != nullptr) TRY_VOID(fence_->heartbeat(connection_));
    for (const auto& write : batch.writes) TRY_VOID(write->apply(connection_));
    for (CommitParticipant* const each : batch.participants) TRY_VOID(each->apply(connection_));
    return {};
  });
  metrics_.pages_written.Increment(static_cast<double>(connection_.take_pages_written()));
  if (done && fence_ != nullptr) fence_->on_heartbeat_committed();
  in_doubt_ = !done && fence_ != nullptr && connection_.is_in_doubt();
  return done;
}

/// Outside of the transaction: others know of what is drawn before it is committed.
Async<Result<void>> Committer::reserve_all(const Writes* writes) {
  auto work = [this, writes]() -> Result<void> {
    for (const auto& write : *writes) {
      if (write->reserves()) TRY_VOID(write->reserve(connection_));
    }
    return {};
  };
  if (std::ranges::none_of(*writes, [](const auto& write) { return write->reserves(); })) {
    co_return Result<void>{};
  }
  co_return co_await run_on(lane_, work);
}

/// True when the last attempt was committed.
Async<Result<bool>> Committer::settle_doubt() {
  auto work = [this] { return fence_->was_committed(connection_); };
  Result<bool> committed = co_await run_on(lane_, work);
  if (!committed && committed.error().code == Code::storage_unavailable) {
    auto ask = [this] { return fence_->was_committed_at_last(background_.connection); };
    const Result<bool> at_last = co_await run_on(background_.lane, ask);
    const bool is_known = at_last || at_last.error().code == Code::session_ended;
    if (is_known) committed = at_last;
  }
  in_doubt_ = !committed && committed.error().code != Code::session_ended;
  co_return committed;
}

Async<Result<void>> Committer::try_once(const Batch* batch) {
  if (in_doubt_) {
    CO_TRY(const bool committed, co_await settle_doubt());
    if (committed) co_return Result<void>{};
  }
  CO_TRY_VOID(co_await reserve_all(&batch->writes));
  auto work = [this, batch] { return attempt(*batch); };
  co_return co_await run_on(lane_, work);
}

Async<Result<void>> Committer::commit_all(const Batch* batch) {
  // A stop has left the commit before in doubt. What is told of that must not answer for this one.
  if (in_doubt_) co_return fail(Code::stopping, "the server is stopping");
  const MonoTime began = runtime_.now();
  const MonoTime gives_up_at = began + retry_time_max;
  Duration pause = retry_pause_min;
  while (true) {
    Result<void> outcome = co_await try_once(batch);
    observe(outcome, runtime_.now() - began);
    const bool is_transient =
        in_doubt_ || (!outcome && outcome.error().code == Code::storage_unavailable);
    if (!is_transient || stopping_) co_return outcome;
    if (!in_doubt_ && fence_ != nullptr && fence_->has_ended()) co_return session_ended();
    if (!in_doubt_ && runtime_.now() >= gives_up_at) co_return outcome;
    // Still in doubt.
    if (runtime_.now() >= gives_up_at) tell_of_doubt(batch->writes);
    co_await stop_requested_.wait_until(runtime_.now() + pause);
    pause = std::min(2 * pause, retry_pause_max);
  }
}

void Committer::observe(const Result<void>& outcome, Duration since_begin) {
  if (!is_of_database(outcome)) {
    if (is_failing_) log_info("database: commits succeed again");
    is_failing_ = false;
    is_away_ = false;
    return;
  }
  const Error& error = outcome.error();
  if (error.code == Code::storage_unavailable && since_begin < quiet_time_max) return;
  // A disk that has failed once may do so no more, which only the next commit can tell.
  is_away_ = error.code != Code::storage_failed;
  if (!std::exchange(is_failing_, true)) {
    log_error("database: nothing can be committed until it works again: {}", error.detail);
  }
}

void Committer::tell_of_doubt(const Writes& writes) {
  const Error error =
      fail(Code::storage_unavailable,
           "the database was lost in the middle of a commit, and whether it has happened is not"
           " known yet; send the same again under the same Idempotency-Key, or look whether it is"
           " there")
          .error();
  for (const auto& write : writes) write->on_doubt(error);
  const Result<void> refused =
      fail(Code::storage_unavailable,
           "the database cannot be reached, and nothing was stored; try again later");
  for (const auto& write : std::exchange(queue_, {})) write->finish(refused);
}

Async<void> Committer::run() {
  while (true) {
    while (queue_.empty()) {
      if (stopping_) co_return;
      co_await changed_.wait();
    }
    is_committing_ = true;
    ++commits_begun_;
    Batch batch = prepare_next();
    Result<void> outcome = co_await commit_timed(&batch);
    const Result<void> of_participants = outcome;
    if (is_of_one_write(outcome) && !batch.writes.empty() && !batch.participants.empty()) {
      std::vector<CommitParticipant*> participants = std::exchange(batch.participants, {});
      outcome = co_await commit_timed(&batch);
      if (outcome) suspect(participants);
      batch.participants = std::move(participants);
    }
    if (is_of_one_write(outcome)) outcome = co_await commit_halves(&batch.writes, outcome);
    is_committing_ = false;
    for (const auto& write : batch.writes) write->finish(outcome);
    finish_participants(batch.participants, of_participants);
    changed_.notify_all();
    batch = {};  // facts that were written are not kept for longer
    // Answers go out before the next commit is prepared.
    co_await yield(runtime_);
  }
}

Async<Result<void>> Committer::commit_timed(const Batch* batch) {
  const MonoTime started = runtime_.now();
  Result<void> outcome = co_await commit_all(batch);
  metrics_.commits.Increment();
  metrics_.commit_seconds.Observe(seconds(runtime_.now() - started));
  if (fence_ != nullptr) fence_->on_commit(started, outcome);
  co_return outcome;
}

/// Finishes all of them, which could not be committed together. Gives what else has failed: then
/// nothing more was tried.
Async<Result<void>> Committer::commit_halves(Writes* refused, Result<void> refusal) {
  Writes writes = std::exchange(*refused, {});
  const bool is_alone = writes.size() == 1;
  if (is_alone) {
    Writes halves = writes.front()->split();
    if (halves.empty()) {
      writes.front()->finish(refusal);
      co_return Result<void>{};
    }
    writes = std::move(halves);
  }
  const auto middle = writes.begin() + (std::ssize(writes) + 1) / 2;
  std::array<Batch, 2> halves;
  std::move(writes.begin(), middle, std::back_inserter(halves[0].writes));
  std::move(middle, writes.end(), std::back_inserter(halves[1].writes));
  Result<void> outcome;
  for (Batch& half : halves) {
    const bool goes_on = outcome.has_value();
    if (goes_on && is_alone) half.writes.front()->prepare();
    if (goes_on && !half.writes.empty()) outcome = co_await commit_timed(&half);
    if (is_of_one_write(outcome)) outcome = co_await commit_halves(&half.writes, outcome);
    for (const auto& write : half.writes) write->finish(outcome);
  }
  co_return outcome;
}

Committer::Batch Committer::prepare_next() {
  CommitBudget budget;
  if (CommitParticipant* const suspect = prepare_suspect(budget)) {
    return {.writes = {}, .participants = {suspect}};
  }
  Batch batch{.writes = std::exchange(queue_, {}), .participants = {}};
  for (const auto& write : batch.writes) write->prepare();
  for (CommitParticipant* const each : std::exchange(participants_, {})) {
    if (each->prepare(budget)) batch.participants.push_back(each);
  }
  return batch;
}

/// One that takes part in a commit of its own, if there is one that may be what was refused.
CommitParticipant* Committer::prepare_suspect(CommitBudget& budget) {
  const auto is_suspect = [this](const CommitParticipant* each) {
    return std::ranges::find(suspects_, each) != suspects_.end();
  };
  while (true) {
    const auto found = std::ranges::find_if(participants_, is_suspect);
    if (found == participants_.end()) return nullptr;
    CommitParticipant* const suspect = *found;
    participants_.erase(found);
    if (suspect->prepare(budget)) return suspect;
  }
}

void Committer::suspect(const std::vector<CommitParticipant*>& participants) {
  suspects_.insert(suspects_.end(), participants.begin(), participants.end());
}

void Committer::finish_participants(const std::vector<CommitParticipant*>& participants,
                                    const Result<void>& outcome) {
  for (CommitParticipant* const each : participants) {
    if (outcome) std::erase(suspects_, each);
    each->finish(outcome);
  }
}

void Committer::join_next(CommitParticipant& participant) {
  participants_.push_back(&participant);
}

Async<void> Committer::leave(CommitParticipant* participant) {
  std::erase(participants_, participant);
  const std::uint64_t begun = commits_begun_;
  while (is_committing_ && commits_begun_ == begun) co_await changed_.wait();
  std::erase(suspects_, participant);
}

}  // namespace postrider
