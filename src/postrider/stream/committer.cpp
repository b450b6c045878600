#include "postrider/stream/committer.hpp"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "postrider/runtime/promise.hpp"

namespace postrider {
namespace {

class AwaitedWrite final : public Write {
 public:
  AwaitedWrite(std::function<Result<void>(SqlConnection&)> apply, Promise<Result<void>>& promise)
      : apply_(std::move(apply)), promise_(promise) {}

  Result<void> apply(SqlConnection& connection) override { return apply_(connection); }
  void finish(const Result<void>& outcome) override { promise_.set(outcome); }

 private:
  std::function<Result<void>(SqlConnection&)> apply_;
  Promise<Result<void>>& promise_;
};

}  // namespace

Committer::Committer(Runtime& runtime, Lane& lane, SqlConnection& connection,
                     CommitterMetrics metrics)
    : runtime_(runtime),
      lane_(lane),
      connection_(connection),
      metrics_(metrics),
      changed_(runtime),
      gate_(runtime) {}

void Committer::start() {
  gate_.spawn(run(), "committer");
}

Async<void> Committer::stop() {
  stopping_ = true;
  changed_.notify_all();
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
  Promise<Result<void>> promise(runtime_);
  submit(std::make_unique<AwaitedWrite>(std::move(apply), promise));
  co_return co_await promise.wait();
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
    auto work = [this, &writes] {
      return transact(connection_, [this, &writes]() -> Result<void> {
        for (const auto& write : writes) TRY_VOID(write->apply(connection_));
        return {};
      });
    };
    const Result<void> outcome = co_await run_on(lane_, work);
    metrics_.commits.Increment();
    metrics_.commit_seconds.Observe(seconds(runtime_.now() - started));
    for (const auto& write : writes) write->finish(outcome);
  }
}

}  // namespace postrider
