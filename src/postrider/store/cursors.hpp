#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// Where delivery of one stream to one service stands. One narrow row each, so that many fit on a
/// page; none as long as the service was sent nothing of the stream.
struct DeliveryCursor {
  StreamId acknowledged;          ///< the service has everything up to here
  TransactionNumber transaction;  ///< the last one of the service that was of this stream
  std::vector<StreamId> frozen;   ///< where the last of them end, while they are not acknowledged
  std::int64_t delivered = 0;     ///< facts, since the service exists

  /// Of the transactions that are frozen, which there are, the number of the first.
  [[nodiscard]] TransactionNumber first_frozen() const {
    return transaction.plus(1 - std::ssize(frozen));
  }
  bool operator==(const DeliveryCursor&) const = default;
};

struct StoredCursor {
  ServiceKey service;
  StreamKey stream;
  DeliveryCursor cursor;
};

/// Of all services, in order of stream and service. Errors besides those of a read:
/// `storage_failed` when a row is damaged.
Result<std::vector<StoredCursor>> read_cursors(SqlConnection& connection);
/// From the first to the last.
struct ServiceRange {
  ServiceKey first;
  ServiceKey last;
};
/// What the services have acknowledged of the stream; those that were sent nothing of it are left
/// out.
Result<std::map<ServiceKey, StreamId>> read_acknowledged(SqlConnection& connection,
                                                         StreamKey stream,
                                                         const ServiceRange& services);
/// Changes nothing when the service is gone.
Result<void> put_cursor(SqlConnection& connection, ServiceKey service, StreamKey stream,
                        const DeliveryCursor& cursor);

}  // namespace postrider
