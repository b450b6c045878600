#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "postrider/runtime/async_mutex.hpp"
#include "postrider/sort/interest.hpp"
#include "postrider/store/inbox.hpp"

namespace postrider {

/// The sorter's view of who is registered and where decisions go. Lives above it. Engine thread.
class Inboxes {
 public:
  Inboxes() = default;
  Inboxes(const Inboxes&) = delete;
  Inboxes& operator=(const Inboxes&) = delete;
  virtual ~Inboxes() = default;

  /// Grows with every change of `interests`.
  [[nodiscard]] virtual std::uint64_t interest_version() const = 0;
  /// In order of service.
  [[nodiscard]] virtual std::vector<ServiceInterest> interests() const = 0;
  /// The last entry of the service's inbox; empty when the service is gone.
  [[nodiscard]] virtual std::optional<InboxSeq> last_seq(ServiceKey service) const = 0;
  /// The block is on disk.
  virtual void add_to_inbox(ServiceKey service, const InboxBlock& block) = 0;
  /// Held from the reading of `last_seq` to the end of the commit that builds on it.
  virtual AsyncMutex& inbox_mutex() = 0;
};

}  // namespace postrider
