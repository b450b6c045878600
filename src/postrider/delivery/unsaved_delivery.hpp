#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "postrider/commit/committer.hpp"
#include "postrider/delivery/service.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// What is not known to be on disk of how a service does and where delivery to it stands, copied
/// for one commit. That includes what an earlier commit has failed to write.
class UnsavedDelivery {
 public:
  UnsavedDelivery() = default;
  /// Nothing is being written: the commit before has ended, this one is being prepared.
  explicit UnsavedDelivery(const Service& service);

  /// Writes this one for the stream, whatever the service has.
  void set_cursor(const Service& service, StreamKey stream, const DeliveryCursor& cursor);

  /// On the committer's lane.
  Result<void> write(SqlConnection& connection) const;
  /// The commit is on disk.
  void set_saved(Service& service) const;

 private:
  struct Cursor {
    StreamKey stream;
    DeliveryCursor cursor;
    std::uint64_t revision = 0;
  };
  ServiceKey service_;
  std::optional<DeliveryState> state_;
  std::uint64_t state_revision_ = 0;
  std::vector<Cursor> cursors_;
};

/// Writes what is not on disk of how the service does and where delivery to it stands, as it is
/// when the commit begins. Engine thread; `service` outlives the await.
Async<Result<void>> save_delivery(Commits& commits, Service* service);

}  // namespace postrider
