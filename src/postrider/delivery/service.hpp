#pragma once

#include <memory>
#include <optional>
#include <string>

#include "postrider/delivery/delivery_policy.hpp"
#include "postrider/delivery/inbox.hpp"
#include "postrider/delivery/receiver.hpp"
#include "postrider/runtime/runtime.hpp"
#include "postrider/store/services.hpp"

namespace postrider {

/// A registered receiver and where delivery to it stands. Engine thread; shared by the registry
/// and by the coroutine that delivers to it, which may outlive its registration for a moment.
struct Service {
  ServiceRow row;  ///< without its document
  std::shared_ptr<const Receiver> receiver;
  std::shared_ptr<const Interest> interest;  ///< the same object while it asks for the same
  DeliveryPolicy policy;
  DeliveryState delivery;
  Inbox inbox;

  bool delivering = false;  ///< a coroutine owns `delivery` now: one transaction in flight
  bool unsaved = false;     ///< `delivery` has changes that are not on disk
  bool retry_due = false;   ///< DOWN, and its time to try again has come
  bool removed = false;
  std::size_t split_facts_max = 0;  ///< it found larger transactions too large; 0: none yet
  std::optional<Runtime::TimerId> retry_timer;

  [[nodiscard]] bool is_pushed() const { return receiver->url().has_value(); }
  [[nodiscard]] bool has_work() const {
    return delivery.frozen_through.has_value() || inbox.behind() > 0;
  }
};

}  // namespace postrider
