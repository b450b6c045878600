#include "postrider/stream/committer.hpp"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "postrider/runtime/reply.hpp"

namespace postrider {
namespace {

constexpr Duration retry_pause_min = std::chrono::milliseconds{50};
constexpr Duration retry_pause_max = std::chrono::seconds{2};
// Longer than a database takes to start again, shorter than its clients wait.
constexpr Duration retry_time_max = std::chrono::seconds{15};

class AwaitedWrite final : public Write {
 public:
  AwaitedWrite(std::function<Result<void>(SqlConnection&)> apply, Reply<Result<void>> reply)
      : apply_(std::move(apply)), reply_(std::move(reply)) {}

  Result<void> apply(SqlConnection& connection) override { return apply_(connection); }
  void finish(const Result<void>& outcome) override { reply_(outcome); }

 private:
  std::function<Result<void>(SqlConnection&)> apply_;
  Reply<Result<void>> reply_;
};

}  // namespace

Committer::Committer(Runtime& runtime, Lane& lane, SqlConnection& connection,
                     CommitterMetrics metrics)
    : runtime_(runtime),
      lane_(lane),
      connection_(connection),
      metrics_(metrics),
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
  queue_.push_back(std::move(write));
  changed_.notify_all();
}

Async<Result<void>> Committer::commit(std::function<Result<void>(SqlConnection&)> apply) {
  auto start = [this, &apply](Reply<Result<void>> reply) {
    submit(std::make_unique<AwaitedWrite>(std::move(apply), std::move(reply)));
  };
  co_return co_await await_reply<Result<void>>(runtime_.executor(), start);
}

/// On the lane.
Result<void> Committer::attempt(const Writes& writes) {
  if (in_doubt_) {
    TRY(const bool happened, connection_.was_committed());
    in_doubt_ = false;
    if (happened) return {};
  }
  auto done = transact(connection_, [this, &writes]() -> Result<void> {
    for (const auto& write : writes) TRY_VOID(write->apply(connection_));
    return {};
  });
  if (done || done.error().code != Code::storage_unavailable) return done;
  const auto happened = connection_.was_committed();
  in_doubt_ = !happened;
  if (happened && *happened) return {};
  return done;
}

Async<Result<void>> Committer::commit_all(const Writes* writes) {
  const MonoTime gives_up_at = runtime_.now() + retry_time_max;
  Duration pause = retry_pause_min;
  while (true) {
    auto work = [this, writes] { return attempt(*writes); };
    Result<void> outcome = co_await run_on(lane_, work);
    const bool can_pass = !outcome && outcome.error().code == Code::storage_unavailable;
    if (!can_pass || stopping_) co_return outcome;
    if (!in_doubt_ && runtime_.now() >= gives_up_at) co_return outcome;
    co_await stop_requested_.wait_until(runtime_.now() + pause);
    pause = std::min(2 * pause, retry_pause_max);
  }
}

Async<void> Committer::run() {
  while (true) {
    while (queue_.empty()) {
      if (stopping_) co_return;
      co_await changed_.wait();
    }
    const auto writes = std::exchange(queue_, {});
    for (const auto& write : writes) write->prepare();
    const MonoTime started = runtime_.now();
    const Result<void> outcome = co_await commit_all(&writes);
    metrics_.commits.Increment();
    metrics_.commit_seconds.Observe(seconds(runtime_.now() - started));
    for (const auto& write : writes) write->finish(outcome);
  }
}

}  // namespace postrider
