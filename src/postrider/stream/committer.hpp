#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "postrider/lease/session.hpp"
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
  /// Whether `reserve` is to be called.
  [[nodiscard]] virtual bool reserves() const { return false; }
  /// On the committer's lane, before the transaction; again when that is tried again. What is
  /// drawn here stays drawn.
  virtual Result<void> reserve(SqlConnection&) { return {}; }
  /// On the committer's lane, inside the transaction, which may be tried again.
  virtual Result<void> apply(SqlConnection& connection) = 0;
  /// On the engine thread, after the transaction is on disk, or with the reason why it is not.
  virtual void finish(const Result<void>& outcome) = 0;
};

struct CommitterMetrics {
  prometheus::Counter& commits;
  prometheus::Histogram& commit_seconds;
};

/// Where a change of the database is handed in.
class Commits {
 public:
  Commits() = default;
  Commits(const Commits&) = delete;
  Commits& operator=(const Commits&) = delete;
  virtual ~Commits() = default;

  /// Waits for the commit that carries `apply`. `stopping` when there will be none any more.
  virtual Async<Result<void>> commit(std::function<Result<void>(SqlConnection&)> apply) = 0;
  /// False when others may have ended the session, so that nothing must leave the process that
  /// rests on it.
  [[nodiscard]] virtual bool are_current() const = 0;
};

/// Group commit. Whatever is submitted while one commit is being synced goes into the next, so a
/// lone write costs one sync and a thousand concurrent writes cost one too. No timer, no batch
/// size. All writes of one commit share its outcome. While the database is not available it is
/// tried again, for a while; while nobody can tell whether a commit has happened, until somebody
/// can.
class Committer final : public Commits {
 public:
  /// `connection` is used on `lane` only. `session`: everything is committed under it; null where
  /// no other process writes.
  Committer(Runtime& runtime, Lane& lane, SqlConnection& connection, CommitterMetrics metrics,
            Session* session, Duration session_interval = {});

  void start();
  /// Commits what was submitted before, then ends. Later writes finish with `stopping`.
  Async<void> stop();

  void submit(std::unique_ptr<Write> write);
  Async<Result<void>> commit(std::function<Result<void>(SqlConnection&)> apply) override;
  /// Where no other process writes, they always are.
  [[nodiscard]] bool are_current() const override;

  /// True from when the session was found to have ended until `resume`: meanwhile every write
  /// finishes with `session_ended`.
  [[nodiscard]] bool has_lost_session() const { return lost_session_; }
  /// Somebody else has found that it has ended.
  void lose_session();
  /// Waits until nothing is being committed.
  Async<void> drained();
  /// A new session has begun, on the lane, while nothing was. `before`: any moment before that.
  void resume(MonoTime before);
  /// When the last commit began that has happened.
  [[nodiscard]] MonoTime last_beat() const { return last_beat_; }

 private:
  using Writes = std::vector<std::unique_ptr<Write>>;
  Async<void> run();
  Async<Result<void>> commit_all(const Writes* writes);
  Async<Result<bool>> settle_doubt();
  Async<Result<void>> reserve_all(const Writes* writes);
  Async<Result<void>> try_once(const Writes* writes);
  Result<void> attempt(const Writes& writes);

  Runtime& runtime_;
  Lane& lane_;
  SqlConnection& connection_;
  CommitterMetrics metrics_;
  Session* session_;
  Duration session_interval_;  ///< how long others wait for a beat
  Event changed_;
  Gate gate_;
  Event stop_requested_;
  Writes queue_;
  bool lost_session_;
  bool is_committing_ = false;
  MonoTime last_beat_{};
  bool in_doubt_ = false;  ///< nobody can tell yet whether the last attempt has happened
  bool stopping_ = false;
};

}  // namespace postrider
