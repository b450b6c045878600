#pragma once

#include <memory>
#include <string>

#include "postrider/commit/commit_fence.hpp"
#include "postrider/store/sessions.hpp"

// A session is one row of the database. Every transaction of its process begins by counting up the
// row's heartbeats, which serves as three things:
//   heartbeat  other processes see the number rise and know that this one lives;
//   fence      the row is marked when others end the session, and the count then fails, and with it
//              the transaction: nothing of an ended session can be committed;
//   receipt    when the answer to a commit is lost, the number tells whether it happened.
// No clocks are compared. Others end a session after an interval of their own clock without a
// heartbeat; its process distrusts it an interval of its own clock after the begin of the last
// commit that succeeded. A process whose session has ended begins a new one.

namespace postrider {

/// The session of this process, where several processes work on one database. On the engine thread,
/// but for `heartbeat`, `on_heartbeat_committed` and `was_committed`.
class Session final : public CommitFence {
 public:
  /// Has ended until one has begun. `interval`: others may end it after that long without a
  /// heartbeat.
  Session(std::string instance_name, Duration interval)
      : instance_name_(std::move(instance_name)), interval_(interval) {}

  [[nodiscard]] const std::string& instance_name() const { return instance_name_; }
  [[nodiscard]] InstanceKey instance() const { return begun_.instance; }
  /// 0 before the first has begun.
  [[nodiscard]] SessionKey key() const { return begun_.session; }

  /// Before a session begins: what the database says. Nothing is on the lane.
  void set_interval(Duration interval) { interval_ = interval; }
  /// A new session has begun, in a transaction that is committed. Nothing is on the lane. `before`:
  /// a moment before that transaction.
  void on_begun(BegunSession begun, MonoTime before);
  /// Somebody else has ended it.
  void on_ended();
  /// When the last commit that succeeded began.
  [[nodiscard]] MonoTime last_heartbeat() const { return last_heartbeat_; }

  [[nodiscard]] bool has_ended() const override { return has_ended_; }
  [[nodiscard]] bool is_valid(MonoTime now) const override;
  [[nodiscard]] std::shared_ptr<const SendPermit> permit() const override { return permit_; }
  void on_commit(MonoTime began, const Result<void>& outcome) override;
  Result<void> heartbeat(SqlConnection& connection) override;
  void on_heartbeat_committed() override { ++heartbeats_; }
  Result<bool> was_committed(SqlConnection& connection) override;
  Result<bool> was_committed_at_last(SqlConnection& other) override;

 private:
  [[nodiscard]] Error ended() const;

  std::string instance_name_;
  Duration interval_;
  BegunSession begun_;
  bool has_ended_ = true;
  MonoTime last_heartbeat_{};
  std::shared_ptr<SendPermit> permit_ = std::make_shared<SendPermit>();  ///< of one session
  std::int64_t heartbeats_ = 0;  ///< that are known to be committed
};

}  // namespace postrider
