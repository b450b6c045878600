#include "sim/sweep/failing_bus.hpp"

#include <utility>

namespace postrider::sim {
namespace {

constexpr Duration absence = std::chrono::seconds{1};

}  // namespace

void FailingBus::start(Bus::Listener& listener, std::string fleet) {
  listener_ = &listener;
  bus_.start(*this, std::move(fleet));
}

void FailingBus::stop() {
  listener_ = nullptr;
  bus_.stop();
}

void FailingBus::connected() {
  if (listener_ != nullptr) listener_->connected();
}

void FailingBus::received(std::string line) {
  if (listener_ != nullptr && !is_away_) listener_->received(std::move(line));
}

void FailingBus::publish(std::string line) {
  const auto fault = counter_.next(Port::line);
  if (fault == Fault::killed || fault == Fault::power_lost) ended_ = fault;
  if (fault == Fault::bus_lost) {
    is_away_ = true;
    // Not from inside of what its listener does.
    runtime_.post([this] {
      if (listener_ != nullptr) listener_->disconnected();
    });
    runtime_.call_at(runtime_.now() + absence, [this] {
      is_away_ = false;
      connected();
    });
  }
  if (fault || ended_ || is_away_) return;
  bus_.publish(std::move(line));
}

}  // namespace postrider::sim
