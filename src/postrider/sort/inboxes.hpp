#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "postrider/base/time.hpp"
#include "postrider/sort/interest.hpp"

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

  /// The service gets the facts at `positions`, which rise, and follow what it got before. That is
  /// on disk. `appended_at`: of the oldest of them, or a little before. Changes nothing when the
  /// service is gone.
  virtual void add_to_inbox(ServiceKey service, StreamKey stream,
                            std::span<const StreamId> positions, WallTime appended_at) = 0;
};

}  // namespace postrider
