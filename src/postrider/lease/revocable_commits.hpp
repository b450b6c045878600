#pragma once

#include "postrider/commit/committer.hpp"

namespace postrider {

/// The commits of work that is done under a lease: accepted until they are revoked, which is when
/// the lease is lost. Engine thread.
class RevocableCommits final : public Commits {
 public:
  /// `commits` must outlive this.
  explicit RevocableCommits(Commits& commits) : commits_(commits) {}

  using Commits::commit;
  /// `stopping` after they were revoked, and when the session has ended meanwhile: another process
  /// goes on with the work. Else as `commits` does.
  Async<Result<void>> commit(std::function<void()> prepare,
                             std::function<Result<void>(SqlConnection&)> apply) override;
  /// Whoever has joined before they were revoked asks `may_act` when a commit is prepared.
  void join_next(CommitParticipant& participant) override {
    if (!revoked_) commits_.join_next(participant);
  }
  Async<void> leave(CommitParticipant* participant) override { return commits_.leave(participant); }
  [[nodiscard]] bool may_act() const override { return !revoked_ && commits_.may_act(); }
  [[nodiscard]] std::shared_ptr<const SendPermit> permit() const override {
    return commits_.permit();
  }
  void revoke() { revoked_ = true; }

 private:
  Commits& commits_;
  bool revoked_ = false;
};

}  // namespace postrider
