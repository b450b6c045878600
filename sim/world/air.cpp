#include "sim/world/air.hpp"

namespace postrider::sim {

void Air::heal() {
  faults_ = {};
}

SimulatedBus::SimulatedBus(VirtualRuntime& runtime, Air& air) : runtime_(runtime), air_(air) {
  air_.buses_.push_back(this);
}

SimulatedBus::~SimulatedBus() {
  std::erase(air_.buses_, this);
}

Duration SimulatedBus::draw_delay() {
  return air_.random_.heavy_tail(air_.faults_.typical_delay, air_.faults_.longest_delay);
}

void SimulatedBus::start(Listener& listener, std::string /*fleet*/) {
  listener_ = &listener;
  connect_after(draw_delay());
}

void SimulatedBus::connect_after(Duration delay) {
  runtime_.call_at(runtime_.now() + delay, [this] {
    if (listener_ == nullptr) return;
    connected_ = true;
    listener_->connected();
    fall_silent_later();
  });
}

void SimulatedBus::fall_silent_later() {
  const AirFaults& faults = air_.faults_;
  if (faults.mean_silence == Duration{}) return;
  const Duration hearing = air_.random_.between(Duration{1}, faults.mean_contact * 2);
  runtime_.call_at(runtime_.now() + hearing, [this] {
    if (listener_ == nullptr || air_.faults_.mean_silence == Duration{}) return;
    connected_ = false;
    listener_->disconnected();
    connect_after(air_.random_.between(Duration{1}, air_.faults_.mean_silence * 2));
  });
}

void SimulatedBus::publish(std::string line) {
  if (!connected_) return;
  for (SimulatedBus* const other : air_.buses_) {
    if (other == this || air_.random_.chance(air_.faults_.lost)) continue;
    // What is on its way is gone with the runtime of who was to receive it.
    other->runtime_.call_at(runtime_.now() + draw_delay(), [other, line] { other->receive(line); });
  }
}

void SimulatedBus::receive(const std::string& line) {
  if (connected_ && listener_ != nullptr) listener_->received(line);
}

}  // namespace postrider::sim
