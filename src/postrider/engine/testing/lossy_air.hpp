#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "postrider/runtime/bus.hpp"
#include "sim/world/virtual_runtime.hpp"

namespace postrider {

/// What carries the words of a fleet in a test: loses some, and lets others overtake them.
class LossyAir {
 public:
  LossyAir(sim::VirtualRuntime& runtime, int lost_percent, Duration longest)
      : runtime_(runtime), lost_percent_(lost_percent), longest_(longest) {}

  class Ear final : public Bus {
   public:
    explicit Ear(LossyAir& air) : air_(air) { air_.ears_.push_back(this); }
    ~Ear() override { std::erase(air_.ears_, this); }

    void start(Listener& listener, std::string /*fleet*/) override {
      listener_ = &listener;
      air_.call(this, [](Listener& each) { each.connected(); });
    }
    void stop() override { listener_ = nullptr; }
    void publish(std::string line) override {
      for (Ear* const other : air_.ears_) {
        if (other == this || air_.loses()) continue;
        air_.call(other, [line](Listener& each) { each.received(line); });
      }
    }
    void caught_up() override { ++times_caught_up; }

    int times_caught_up = 0;

   private:
    friend class LossyAir;
    LossyAir& air_;
    Listener* listener_ = nullptr;
  };

 private:
  bool loses() { return runtime_.random(100) < static_cast<std::uint64_t>(lost_percent_); }

  void call(Ear* ear, std::function<void(Bus::Listener&)> what) {
    const auto most = static_cast<std::uint64_t>(longest_.count()) + 1;
    const Duration delay{static_cast<Duration::rep>(runtime_.random(most))};
    runtime_.call_at(runtime_.now() + delay, [this, ear, what = std::move(what)] {
      const bool is_there = std::ranges::find(ears_, ear) != ears_.end();
      if (is_there && ear->listener_ != nullptr) what(*ear->listener_);
    });
  }

  sim::VirtualRuntime& runtime_;
  int lost_percent_;
  Duration longest_;
  std::vector<Ear*> ears_;
};

}  // namespace postrider
