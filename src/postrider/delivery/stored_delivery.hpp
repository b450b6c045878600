#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "postrider/delivery/receiver_kind.hpp"
#include "postrider/delivery/service.hpp"
#include "postrider/sort/decision_tail.hpp"
#include "postrider/store/inbox.hpp"

namespace postrider {

/// What the database says of services and of what they are still to get, but for decisions that are
/// not folded yet.
struct StoredDelivery {
  std::vector<StoredService> services;
  std::vector<StoredCursor> cursors;
  std::vector<InboxEnd> inbox_ends;
  std::vector<std::shared_ptr<const Receiver>> receivers;  ///< of `services`, in their order
};

Result<StoredDelivery> read_stored_delivery(SqlConnection& connection);
/// Fills `receivers`. Any thread: of many services it takes longer than the engine thread may rest.
/// Errors: as `ReceiverKinds::parse_stored`.
Result<void> parse_receivers(StoredDelivery& stored, const ReceiverKinds& kinds);

/// The streams of every service, as they were when the process ended that delivered last.
Result<std::unordered_map<ServiceKey, Service::Streams>> restore_streams(
    const StoredDelivery& stored, const DecisionTails& tails);

}  // namespace postrider
