#pragma once

#include <string>

#include "postrider/store/sessions.hpp"

namespace postrider {

/// The session of this process, where several processes work on one database. Everything that the
/// process commits is committed under it: once another process has ended it, because it was silent
/// for too long, nothing more can land. No clocks are compared: silence is measured by who listens.
///
/// On the engine thread, but for `enter`, `committed` and `was_committed`, which come on the lane
/// of the connection that writes.
class Session {
 public:
  explicit Session(std::string instance_name) : instance_name_(std::move(instance_name)) {}

  [[nodiscard]] const std::string& instance_name() const { return instance_name_; }
  [[nodiscard]] InstanceKey instance() const { return begun_.instance; }
  [[nodiscard]] SessionKey key() const { return begun_.session; }

  /// A new one has begun, in a transaction that is committed. Nothing is on the lane.
  void adopt(BegunSession begun);
  /// To be called first in each transaction: a beat, which others hear. When the session has ended
  /// the transaction fails with `session_ended`, at the latest at its commit.
  Result<void> enter(SqlConnection& connection);
  /// The transaction that was entered is committed.
  void committed() { ++beats_; }
  /// Whether the last transaction that was entered has been committed, when its connection did not
  /// tell.
  Result<bool> was_committed(SqlConnection& connection);

 private:
  [[nodiscard]] Error ended() const;

  std::string instance_name_;
  BegunSession begun_;
  std::int64_t beats_ = 0;  ///< that are known to be committed
};

}  // namespace postrider
