#pragma once

#include "postrider/stream/streams.hpp"

namespace prometheus {
class Counter;
}  // namespace prometheus

namespace postrider {

/// Deletes, in small steps, facts that every interested service has acknowledged and that are
/// older than their stream keeps them; and idempotency keys past their time.
class Retention {
 public:
  /// References must outlive this.
  Retention(Runtime& runtime, Commits& commits, Reader reader, const Streams& streams,
            Duration idempotency_retain, prometheus::Counter& facts_dropped);

  void start();
  Async<void> stop();
  /// One pass over all streams; ends when nothing more can go.
  Async<Result<void>> sweep();

 private:
  Async<void> run();
  Async<Result<bool>> drop_step(Stream* stream);
  Async<Result<bool>> expire_keys_step();

  Runtime& runtime_;
  Commits& commits_;
  Reader reader_;
  const Streams& streams_;
  Duration idempotency_retain_;
  prometheus::Counter& facts_dropped_;
  Event stop_requested_;
  Gate gate_;
  bool stopping_ = false;
};

}  // namespace postrider
