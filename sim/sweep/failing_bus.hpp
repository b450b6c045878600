#pragma once

#include <memory>
#include <string>

#include "sim/sweep/fault.hpp"
#include "sim/world/air.hpp"

namespace postrider::sim {

/// A bus of which one line is lost, or which is away from one line on.
class FailingBus final : public Bus, private Bus::Listener {
 public:
  FailingBus(VirtualRuntime& runtime, Air& air, CallCounter& counter, std::optional<Fault>& ended)
      : runtime_(runtime), bus_(runtime, air), counter_(counter), ended_(ended) {}

  void start(Bus::Listener& listener, std::string fleet) override;
  void stop() override;
  void publish(std::string line) override;
  void caught_up() override { bus_.caught_up(); }

 private:
  void connected() override;
  void disconnected() override {}
  void received(std::string line) override;

  VirtualRuntime& runtime_;
  SimulatedBus bus_;
  CallCounter& counter_;
  std::optional<Fault>& ended_;
  Bus::Listener* listener_ = nullptr;
  bool is_away_ = false;
};

}  // namespace postrider::sim
