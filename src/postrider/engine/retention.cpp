#include "postrider/engine/retention.hpp"

#include <algorithm>

#include <prometheus/counter.h>

#include "postrider/base/log.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/store/inbox.hpp"
#include "postrider/store/quarantine.hpp"

namespace postrider {
namespace {

// A step is small, so that a commit that carries one is not noticeably longer for the appends in
// it.
constexpr std::int64_t blocks_per_step = 32;
constexpr std::int64_t keys_per_step = 1000;
constexpr Duration pause_min = std::chrono::milliseconds{500};
constexpr Duration pause_max = std::chrono::minutes{1};

/// Often enough that a stream holds at most a sixteenth more than it should.
Duration pause_after(const std::vector<Stream*>& streams) {
  Duration shortest = pause_max;
  for (const Stream* stream : streams) shortest = std::min(shortest, stream->retain() / 16);
  return std::max(shortest, pause_min);
}

}  // namespace

Retention::Retention(Runtime& runtime, Commits& commits, Reader reader, const Streams& streams,
                     Duration idempotency_retain, prometheus::Counter& facts_dropped)
    : runtime_(runtime),
      commits_(commits),
      reader_(reader),
      streams_(streams),
      idempotency_retain_(idempotency_retain),
      facts_dropped_(facts_dropped),
      stop_requested_(runtime),
      gate_(runtime) {}

void Retention::start() {
  gate_.spawn(run(), "retention");
}

Async<void> Retention::stop() {
  stopping_ = true;
  stop_requested_.notify_all();
  co_await gate_.drained();
}

Async<void> Retention::run() {
  while (!stopping_) {
    const Result<void> swept = co_await sweep();
    if (!swept && swept.error().code != Code::stopping) {
      log_warn("retention: old facts could not be deleted, which is tried again: {}",
               swept.error().detail);
    }
    if (stopping_) co_return;
    co_await stop_requested_.wait_until(runtime_.now() + pause_after(streams_.all()));
  }
}

Async<Result<void>> Retention::sweep() {
  const std::vector<Stream*> streams = streams_.all();
  for (Stream* const stream : streams) {
    bool more = true;
    while (more && !stopping_) {
      CO_TRY(more, co_await drop_step(stream));
    }
  }
  bool more = true;
  while (more && !stopping_) {
    CO_TRY(more, co_await expire_keys_step());
  }
  co_return Result<void>{};
}

/// True when there may be more to drop.
Async<Result<bool>> Retention::drop_step(Stream* stream) {
  const StreamKey key = stream->key();
  const StreamId sorted_through = stream->sorted_through();
  // The inboxes are read before the commit that deletes: what is needed can only move on, since
  // new entries are for facts after `sorted_through`.
  auto work = [this, key] { return oldest_needed(reader_.connection, key); };
  CO_TRY(const auto needed, co_await run_on(reader_.lane, work));
  StreamId below = sorted_through.plus(1);
  if (needed) below = std::min(below, *needed);
  const WallTime before =
      runtime_.wall_now() - std::chrono::duration_cast<std::chrono::milliseconds>(stream->retain());

  DroppedBlocks dropped;
  std::function<Result<void>(SqlConnection&)> apply =
      [&dropped, key, below, before](SqlConnection& connection) -> Result<void> {
    TRY(dropped, drop_blocks(connection, key, below, before, blocks_per_step));
    if (dropped.count == 0) return {};
    TRY_VOID(expire_quarantined(connection, key, dropped.last));
    return set_dropped_through(connection, key, dropped.last);
  };
  CO_TRY_VOID(co_await commits_.commit(std::move(apply)));
  if (dropped.count == 0) co_return false;
  facts_dropped_.Increment(
      static_cast<double>(dropped.last.value - stream->dropped_through().value));
  stream->set_dropped_through(dropped.last);
  co_return dropped.count == blocks_per_step;
}

Async<Result<bool>> Retention::expire_keys_step() {
  const WallTime before =
      runtime_.wall_now() -
      std::chrono::duration_cast<std::chrono::milliseconds>(idempotency_retain_);
  std::int64_t expired = 0;
  std::function<Result<void>(SqlConnection&)> apply =
      [&expired, before](SqlConnection& connection) -> Result<void> {
    TRY(expired, expire_keyed_appends(connection, before, keys_per_step));
    return {};
  };
  CO_TRY_VOID(co_await commits_.commit(std::move(apply)));
  co_return expired == keys_per_step;
}

}  // namespace postrider
