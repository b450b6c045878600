#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/commit/committer.hpp"
#include "postrider/commit/reader.hpp"
#include "postrider/lease/failure_detector.hpp"
#include "postrider/lease/session.hpp"

// The life of a session, as seen by its process.
//   begin      one transaction gives the session its key and makes the process ready to work under
//              it; it ends the session that the same instance had before.
//   heartbeat  every commit is one. When there was none for half an interval, an empty one is made,
//              by a task of its own: it waits for its commit, and for no poll or takeover.
//   poll       the sessions of all processes and the holder of the lease are read: every fifth of
//              an interval if others announce their changes on the bus, else every
//              `poll_interval`, and soon after `poll_soon`.
//   expiry     a session that had no heartbeat for an interval of the clock here is ended, by
//              compare and set on its heartbeats. When the own one was ended by others, whatever
//              rests on it is stopped, and a new one begins.
//   takeover   a lease whose holder's session has ended is taken by compare and set on its holder.
//   forgetting an instance whose last session was seen to have ended an hour ago is removed with
//              its positions, so that names that change with each start do not make polls slower.
//              The holder of the lease does it.
// Faults. A process may stop, pause or lose the database or the bus at any point. What it had begun
// under its old session fails at its commit. While the database cannot be read nobody is found to
// have failed: the intervals of all others begin again.

namespace postrider {

/// How this process works with others on one database.
struct FleetSettings {
  std::string instance_name;
  /// Others end the session of a process that had no heartbeat for this long. What the database
  /// says goes before, while other processes work on it.
  Duration session_interval = std::chrono::seconds{5};
  /// How often the database is asked for the changes of others while they do not announce them.
  Duration poll_interval = std::chrono::milliseconds{100};

  bool operator==(const FleetSettings&) const = default;
};

/// An instance is forgotten when its last session was seen to have ended this long ago. A process
/// that was cut off for longer cannot look up its last commit any more: what was in doubt then is
/// answered as failed, and read from the database like what others have committed.
inline constexpr Duration gone_after = std::chrono::hours{1};

/// What the database says of all processes at one moment.
struct MembershipSnapshot {
  StoredSessions stored;
  SessionKey lease_holder;
  std::map<SessionKey, MonoTime> ended_since;  ///< when that was seen first here

  /// Null when the session has ended.
  [[nodiscard]] const SessionRow* find_live(SessionKey session) const;
};

/// The membership of this process among those that work on the same database. Engine thread.
class Membership {
 public:
  /// What the rest of the process does as its session begins, lasts and ends. On the engine thread,
  /// but for `prepare_session`.
  class Listener {
   public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;

    /// On the lane of the connection that writes, inside the transaction that begins a session of
    /// `instance`; again when it is tried again.
    virtual Result<void> prepare_session(SqlConnection& connection, InstanceKey instance,
                                         const StoredSessions& stored) = 0;
    /// That transaction is committed.
    virtual void on_session_begun() = 0;
    /// The session has ended; nothing more can be committed under it. Perhaps more than once.
    virtual void on_session_ended() = 0;
    /// After each poll, while the session lives. Its error ends this poll, and the next one goes
    /// on.
    virtual Async<Result<void>> on_snapshot(const MembershipSnapshot* snapshot) = 0;
    /// True while others announce their changes, so that the database need not be asked so often.
    [[nodiscard]] virtual bool are_changes_announced() const = 0;

    /// False while nothing may be begun under the lease.
    [[nodiscard]] virtual bool can_work() const = 0;
    /// This process holds the lease, and `can_work`. Begins what is done under it; an error leaves
    /// it to the next poll.
    virtual Async<Result<void>> begin_work() = 0;
  };

  /// References must outlive this. `writer`: the committer's connection. `lease`: held by at most
  /// one process at a time, of those that can work.
  Membership(Runtime& runtime, Reader writer, Reader background, Committer& committer,
             Session& session, FleetSettings settings, std::string_view lease, Listener& listener);

  /// Begins the session, polls once, and goes on polling. Errors: those of the database.
  Async<Result<void>> start();
  /// Ends the session, so that others need not wait for its expiry. Nothing is to be committed any
  /// more. What goes wrong is logged: the session expires then.
  Async<void> stop();

  /// The next poll is wanted within milliseconds.
  void poll_soon();
  /// The name of the instance that holds the lease; empty when none does.
  [[nodiscard]] const std::string& lease_holder() const { return lease_holder_; }

 private:
  Async<void> run();
  Async<Result<void>> poll_membership();
  Async<Result<void>> begin_session_anew();
  void adopt_interval(Duration interval);
  Async<void> keep_session();
  Async<Result<MembershipSnapshot>> read_snapshot();
  Async<Result<void>> end_failed_sessions(const MembershipSnapshot* snapshot);
  struct Gone {
    SessionRow session;
    std::vector<StreamKey> streams;  ///< that it has a position in
  };
  void observe_ended(const StoredSessions& stored);
  [[nodiscard]] std::map<InstanceKey, Gone> find_gone(const MembershipSnapshot& snapshot) const;
  Async<Result<void>> forget_gone_instances(const MembershipSnapshot* snapshot);
  Async<Result<void>> forget(const std::map<InstanceKey, Gone>* gone);
  Async<Result<void>> hold_lease(const MembershipSnapshot* snapshot);
  Async<void> wait_for_next_poll();

  Runtime& runtime_;
  Reader writer_;
  Reader background_;
  Committer& committer_;
  Session& session_;
  FleetSettings settings_;
  const Duration configured_interval_;
  std::string_view lease_;
  Listener& listener_;
  FailureDetector failures_;
  std::string lease_holder_;
  std::string last_error_;
  bool is_poll_wanted_ = false;
  Event wake_;
  Event stop_requested_;
  std::map<SessionKey, MonoTime> ended_since_;  ///< when that was seen first
  Gate gate_;
  Gate heartbeat_gate_;
  bool stopping_ = false;
  bool is_heart_stopping_ = false;
};

}  // namespace postrider
