#include "postrider/stream/committer.hpp"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "postrider/runtime/reply.hpp"

namespace postrider {
namespace {

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
  auto start = [this, &apply](Reply<Result<void>> reply) {
    submit(std::make_unique<AwaitedWrite>(std::move(apply), std::move(reply)));
  };
  co_return co_await await_reply<Result<void>>(runtime_.executor(), start);
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
