#pragma once

#include <chrono>
#include <string>

#include "postrider/base/time.hpp"
#include "postrider/drivers/postgres/postgres_connection.hpp"

namespace postrider {

/// The right of one process to an instance name in a schema. The server keeps it as a lock of one
/// connection, so that a process which ends gives it back. A connection may also be lost without
/// the server noticing, which then keeps the lock for a connection that nobody has any more:
///   the own one    is ended when the process connects again. It is known by a random word, which
///                  is in its `application_name`: no other process has the same.
///   another one    is ended when it has said nothing for `silence_max`, by the server's clock. A
///                  process that lives says something at least twice in that time.
/// Nothing that was committed depends on the lock: a session does that (see lease/session.hpp). One
/// thread.
class InstanceLock {
 public:
  /// `silence_max`: the interval of sessions.
  InstanceLock(std::string schema, std::string instance_name, Duration silence_max)
      : schema_(std::move(schema)),
        instance_name_(std::move(instance_name)),
        silence_max_(silence_max) {}

  /// On each new connection of the process. The first time it waits, for some seconds at most,
  /// until it is known whether the holder lives. Errors: `storage_locked`, when it does or may.
  Result<void> take(PostgresConnection& connection);

 private:
  /// The connection that has the lock, as far as this user may see it.
  struct Holder {
    std::int64_t backend = 0;  ///< 0: none
    std::string connection_name;
    bool is_idle = false;
    std::chrono::milliseconds silence{0};
  };
  Result<void> name_connection(PostgresConnection& connection);
  Result<void> end_own(PostgresConnection& connection) const;
  [[nodiscard]] Result<Holder> read_holder(PostgresConnection& connection) const;
  [[nodiscard]] Result<bool> may_be_dead(PostgresConnection& connection) const;

  std::string schema_;
  std::string instance_name_;
  Duration silence_max_;
  std::string connection_name_;  ///< empty before the first connection
};

}  // namespace postrider
