#pragma once

#include <functional>

#include "postrider/commit/committer.hpp"
#include "postrider/stream/stream.hpp"

namespace prometheus {
class Counter;
}  // namespace prometheus

namespace postrider {

/// Where facts are put that cannot be read or decided, so that a stream goes on without them. Each
/// is logged and counted once. Engine thread.
class Quarantine {
 public:
  using Apply = std::function<Result<void>(SqlConnection&)>;

  /// References must outlive it.
  Quarantine(Runtime& runtime, prometheus::Counter& facts) : runtime_(runtime), facts_(facts) {}

  /// Waits for the commit that carries them and what `beside` applies. Those that are there already
  /// stay as they are. Errors: those of a commit.
  Async<Result<void>> add(Commits* commits, const Stream* stream, UnreadableFacts facts,
                          Apply beside);

 private:
  Runtime& runtime_;
  prometheus::Counter& facts_;
};

}  // namespace postrider
