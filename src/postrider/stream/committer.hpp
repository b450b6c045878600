#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "postrider/runtime/gate.hpp"
#include "postrider/runtime/lane.hpp"
#include "postrider/store/sql.hpp"

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace postrider {

/// Something that wants to change the database.
class Write {
 public:
  Write() = default;
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  virtual ~Write() = default;

  /// On the engine thread, when the commit's contents are being fixed: the last moment to add to
  /// it.
  virtual void prepare() {}
  /// On the committer's lane, inside the transaction.
  virtual Result<void> apply(SqlConnection& connection) = 0;
  /// On the engine thread, after the transaction is on disk, or with the reason why it is not.
  virtual void finish(const Result<void>& outcome) = 0;
};

struct CommitterMetrics {
  prometheus::Counter& commits;
  prometheus::Histogram& commit_seconds;
};

/// Group commit. Whatever is submitted while one commit is being synced goes into the next, so a
/// lone write costs one sync and a thousand concurrent writes cost one too. No timer, no batch
/// size. All writes of one commit share its outcome. While the database is not available it is
/// tried again, for a while; while nobody can tell whether a commit has happened, until somebody
/// can.
class Committer {
 public:
  /// `connection` is used on `lane` only.
  Committer(Runtime& runtime, Lane& lane, SqlConnection& connection, CommitterMetrics metrics);

  void start();
  /// Commits what was submitted before, then ends. Later writes finish with `stopping`.
  Async<void> stop();

  void submit(std::unique_ptr<Write> write);
  /// Submits `apply` and waits for the commit that carries it.
  Async<Result<void>> commit(std::function<Result<void>(SqlConnection&)> apply);

 private:
  using Writes = std::vector<std::unique_ptr<Write>>;
  Async<void> run();
  Async<Result<void>> commit_all(const Writes* writes);
  Result<void> attempt(const Writes& writes);

  Runtime& runtime_;
  Lane& lane_;
  SqlConnection& connection_;
  CommitterMetrics metrics_;
  Event changed_;
  Gate gate_;
  Event stop_requested_;
  Writes queue_;
  bool in_doubt_ = false;  ///< nobody can tell yet whether the last attempt has happened
  bool stopping_ = false;
};

}  // namespace postrider
