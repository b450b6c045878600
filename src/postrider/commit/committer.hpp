#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "postrider/commit/commit_fence.hpp"
#include "postrider/commit/reader.hpp"
#include "postrider/runtime/gate.hpp"
#include "postrider/runtime/lane.hpp"
#include "postrider/store/sql.hpp"

// The protocol of a commit. Writes are queued; when no commit is under way, all that are queued
// become the next one. `prepare` fixes their contents on the engine thread, `reserve` draws IDs
// outside of the transaction, `apply` runs in it on the lane, `finish` gives them the outcome.
// Participants come after the writes in `prepare`, `apply` and `finish`: what follows from a write
// is on disk with it. With a fence the transaction begins with a heartbeat, which fails once the
// session has ended.
//
// Faults. An unreachable database is tried again for 15 s. If the answer to a commit is lost,
// nobody knows whether it happened; it is then looked up by its heartbeat, for as long as that
// takes, before anything else is attempted: a commit is never finished as failed when it happened,
// nor applied twice. When that takes more than 15 s, its writes are told that they are in doubt,
// and what is queued behind it fails. A database that fails, or is full, fails all writes of the
// commit.
//
// What is left is an error of one write, which would come again each time. The commit is tried
// without participants first, since what they add can be added later. If that succeeds, each of
// them is asked in a commit of its own until it has succeeded too. If it does not, writes are
// committed in halves, these in halves again, until the one that fails is alone. A write that holds
// what several clients have sent is split in the same way.

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace postrider {

/// One change of the database. Owned by the committer from `submit` to `finish`.
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
  /// On the committer's lane, before the transaction, and again before each further attempt. What
  /// is drawn here stays drawn when the transaction fails.
  virtual Result<void> reserve(SqlConnection&) { return {}; }
  /// On the committer's lane, inside the transaction. Called again when that is tried again.
  virtual Result<void> apply(SqlConnection& connection) = 0;
  /// On the engine thread, after the transaction is on disk, or with the reason why it is not. The
  /// last call.
  virtual void finish(const Result<void>& outcome) = 0;
  /// On the engine thread, perhaps more than once: whether it is committed is not known, and may
  /// not be for long. Whoever need not wait for that is to be told now. `finish` follows.
  virtual void on_doubt(const Error&) {}
  /// On the engine thread, when the transaction has failed by what this write alone applies: it
  /// becomes the two halves that it gives, in order, each of which is prepared when the one before
  /// has finished. Then this is the last call. Empty when it cannot be divided.
  virtual std::vector<std::unique_ptr<Write>> split() { return {}; }
};

/// What participants may still add to a commit, for which all who wait for it wait too.
struct CommitBudget {
  std::int64_t decisions = 500'000;  ///< facts, and one for each service that gets one
  std::size_t transactions = 100;    ///< that are frozen
};

/// Adds to a commit what follows from the writes of others. Engine thread, but for `apply`.
class CommitParticipant {
 public:
  CommitParticipant() = default;
  CommitParticipant(const CommitParticipant&) = delete;
  CommitParticipant& operator=(const CommitParticipant&) = delete;
  virtual ~CommitParticipant() = default;

  /// After the writes of the commit were prepared, and the participants that joined it before.
  /// True when this one takes part: `apply` and `finish` follow, as those of a write.
  /// What it adds is taken from `budget`.
  virtual bool prepare(CommitBudget& budget) = 0;
  virtual Result<void> apply(SqlConnection& connection) = 0;
  virtual void finish(const Result<void>& outcome) = 0;
};

struct CommitterMetrics {
  prometheus::Counter& commits;
  prometheus::Counter& pages_written;
  prometheus::Histogram& commit_seconds;
};

/// Accepts changes of the database. Engine thread.
class Commits {
 public:
  Commits() = default;
  Commits(const Commits&) = delete;
  Commits& operator=(const Commits&) = delete;
  virtual ~Commits() = default;

  /// Waits for the commit that carries `apply`, which runs on the committer's lane, once for each
  /// attempt. `prepare` is called before, on the engine thread, when the contents of the commit are
  /// being fixed and none is under way. Errors: what `apply` failed with; `storage_full`,
  /// `storage_failed`, `storage_unavailable`; `session_ended`; `stopping` when nothing is committed
  /// any more.
  virtual Async<Result<void>> commit(std::function<void()> prepare,
                                     std::function<Result<void>(SqlConnection&)> apply) = 0;
  Async<Result<void>> commit(std::function<Result<void>(SqlConnection&)> apply);

  /// The next commit asks it, or a later one, once for each call. It must leave before it is
  /// destroyed.
  virtual void join_next(CommitParticipant& participant) = 0;
  /// Waits for the end of a commit that it may take part in.
  virtual Async<void> leave(CommitParticipant* participant) = 0;

  /// False when others may have ended the session by now. Whoever is about to do something outside
  /// of the database that rests on the session asks first.
  [[nodiscard]] virtual bool may_act() const = 0;
  /// What a request takes with it that is sent under the session of now; null without a session.
  [[nodiscard]] virtual std::shared_ptr<const SendPermit> permit() const = 0;
};

/// Group commit. Whatever is submitted while one commit is being synced goes into the next, so a
/// lone write costs one sync and a thousand concurrent writes cost one too. No timer, no batch
/// size. Engine thread.
class Committer final : public Commits {
 public:
  /// `background`: a second way to the database, for when the first one is lost. `fence` is null
  /// where no other process writes. References must outlive the committer.
  Committer(Runtime& runtime, Reader writer, Reader background, CommitterMetrics metrics,
            CommitFence* fence);

  /// Once, before anything is submitted.
  void start();
  /// Commits what was submitted before, without waiting for a database that is away, then ends.
  /// Later writes finish with `stopping`.
  Async<void> stop();

  /// Calls `write->finish` once, before it returns when the server is stopping or the session has
  /// ended.
  void submit(std::unique_ptr<Write> write);
  using Commits::commit;
  Async<Result<void>> commit(std::function<void()> prepare,
                             std::function<Result<void>(SqlConnection&)> apply) override;
  [[nodiscard]] bool may_act() const override;
  [[nodiscard]] std::shared_ptr<const SendPermit> permit() const override;

  void join_next(CommitParticipant& participant) override;
  Async<void> leave(CommitParticipant* participant) override;

  /// False while the database cannot be reached, or is not the one that it was.
  [[nodiscard]] bool reaches_database() const { return !is_away_; }

  /// Waits until nothing is being committed and nothing is queued.
  Async<void> drained();

 private:
  using Writes = std::vector<std::unique_ptr<Write>>;
  struct Batch {
    Writes writes;
    std::vector<CommitParticipant*> participants;  ///< that take part
  };
  Async<void> run();
  [[nodiscard]] Batch prepare_next();
  [[nodiscard]] CommitParticipant* prepare_suspect(CommitBudget& budget);
  void suspect(const std::vector<CommitParticipant*>& participants);
  void finish_participants(const std::vector<CommitParticipant*>& participants,
                           const Result<void>& outcome);
  Async<Result<void>> commit_timed(const Batch* batch);
  Async<Result<void>> commit_halves(Writes* refused, Result<void> refusal);
  Async<Result<void>> commit_all(const Batch* batch);
  Async<Result<bool>> settle_doubt();
  void observe(const Result<void>& outcome, Duration since_begin);
  void tell_of_doubt(const Writes& writes);
  Async<Result<void>> reserve_all(const Writes* writes);
  Async<Result<void>> try_once(const Batch* batch);
  Result<void> attempt(const Batch& batch);

  Runtime& runtime_;
  Lane& lane_;
  SqlConnection& connection_;
  Reader background_;
  CommitterMetrics metrics_;
  CommitFence* fence_;
  Event changed_;
  Gate gate_;
  Event stop_requested_;
  Writes queue_;
  std::vector<CommitParticipant*> participants_;  ///< of the next commit
  std::vector<CommitParticipant*> suspects_;      ///< without which a commit was not refused
  bool is_committing_ = false;
  std::uint64_t commits_begun_ = 0;
  bool in_doubt_ = false;    ///< it is not known yet whether the last attempt was committed
  bool is_failing_ = false;  ///< as the log says
  bool is_away_ = false;
  bool stopping_ = false;
};

}  // namespace postrider
