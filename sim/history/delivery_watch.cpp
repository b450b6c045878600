#include "sim/history/delivery_watch.hpp"

#include <utility>

#include "sim/history/audit.hpp"

namespace postrider::sim {

void DeliveryWatch::after_step() {
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    Process* const process = context_.members[i].process.get();
    const DeliveryWork* const work =
        process == nullptr ? nullptr : process->engine().delivery().get();
    if (std::exchange(seen_[i], work) != work && work != nullptr) taken_over(i);
  }
}

void DeliveryWatch::taken_over(std::size_t member) {
  context_.deliverer = member;
  const Process& process = *context_.members[member].process;
  context_.trace.note("delivers", context_.members[member].instance_name, {process.number()});
  context_.judge.hand_over(process.number());
  // Alone, what the disk said before the start holds.
  if (!context_.is_fleet()) return;
  context_.judge.process_ended();
  operators_.hand_over();
  audit_disk(context_);
}

}  // namespace postrider::sim
