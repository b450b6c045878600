#pragma once

#include <memory>
#include <optional>
#include <string>

#include "postrider/delivery/receiver.hpp"
#include "postrider/store/services.hpp"
#include "sim/history/registrations.hpp"

namespace postrider::sim {

/// The service as the engine takes it. It is at http://ID.test, or nowhere.
std::shared_ptr<const Receiver> receiver_of(const std::string& id, const PlainService& service,
                                            bool pushed);

/// A service that a file declares, with document `number`. It asks for nothing that there is.
std::shared_ptr<const Receiver> declared_receiver(const std::string& id, int number);

/// The reverse, for what lies on the disk; empty when it is nothing that was ever asked for.
std::optional<Registrations::Stored> read_stored(const ServiceRow& row);

}  // namespace postrider::sim
