#pragma once

#include <functional>
#include <string>
#include <vector>

#include "postrider/runtime/bus.hpp"
#include "sim/world/virtual_runtime.hpp"

namespace postrider::sim {

/// What goes wrong with the messages between the processes of a fleet.
struct AirFaults {
  int lost = 0;  ///< messages, in thousandths
  Duration typical_delay = std::chrono::milliseconds{1};
  Duration longest_delay = std::chrono::milliseconds{5};  ///< messages overtake each other
  Duration mean_silence{};  ///< how long a process receives nothing; 0: no process does
  Duration mean_contact{};  ///< how long it receives before that
};

class SimulatedBus;

/// What carries the messages of a fleet between its processes.
class Air {
 public:
  Air(Random random, AirFaults faults) : random_(random), faults_(faults) {}

  /// From now on every message arrives.
  void heal();

 private:
  friend class SimulatedBus;

  Random random_;
  AirFaults faults_;
  std::vector<SimulatedBus*> buses_;
};

/// The bus as one process has it. Must not outlive its runtime.
class SimulatedBus final : public Bus {
 public:
  SimulatedBus(VirtualRuntime& runtime, Air& air);
  ~SimulatedBus() override;

  void start(Listener& listener, std::string fleet) override;
  void stop() override { listener_ = nullptr; }
  void publish(std::string line) override;
  void caught_up() override { ++times_caught_up; }

  int times_caught_up = 0;

 private:
  friend class Air;
  [[nodiscard]] Duration draw_delay();
  void connect_after(Duration delay);
  void fall_silent_later();
  void receive(const std::string& line);

  VirtualRuntime& runtime_;
  Air& air_;
  Listener* listener_ = nullptr;
  bool connected_ = false;
};

}  // namespace postrider::sim
