#pragma once

#include <memory>

#include "postrider/base/result.hpp"
#include "postrider/base/time.hpp"
#include "postrider/runtime/send_permit.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// What gives this process the right to commit where others write to the same database; a session
/// implements it. Once the right has ended, a commit fails in the database itself, so that nothing
/// late can land.
class CommitFence {
 public:
  CommitFence() = default;
  CommitFence(const CommitFence&) = delete;
  CommitFence& operator=(const CommitFence&) = delete;
  virtual ~CommitFence() = default;

  // On the engine thread.

  /// True when no commit can succeed before the right is given anew.
  [[nodiscard]] virtual bool has_ended() const = 0;
  /// False when others may have taken the right away by `now`.
  [[nodiscard]] virtual bool is_valid(MonoTime now) const = 0;
  /// Holds as long as this right is valid, and never again once it has ended. Not null.
  [[nodiscard]] virtual std::shared_ptr<const SendPermit> permit() const = 0;
  /// A commit whose first attempt began at `began` has ended with `outcome`.
  virtual void on_commit(MonoTime began, const Result<void>& outcome) = 0;

  // On the lane of the connection that writes.

  /// The first statement of each transaction. When the right has ended, the transaction fails with
  /// `session_ended`, at the latest at its commit.
  virtual Result<void> heartbeat(SqlConnection& connection) = 0;
  /// The transaction of the last heartbeat is known to be committed.
  virtual void on_heartbeat_committed() = 0;
  /// Whether the transaction of the last heartbeat is committed, when the database's answer to it
  /// was lost. `session_ended` when that cannot be known any more.
  virtual Result<bool> was_committed(SqlConnection& connection) = 0;
  /// The same over a connection beside the one that writes, while that cannot be had. Nothing is on
  /// its lane meanwhile. `storage_unavailable` until the right has ended in the database: before,
  /// the transaction may yet land.
  virtual Result<bool> was_committed_at_last(SqlConnection& other) = 0;
};

}  // namespace postrider
