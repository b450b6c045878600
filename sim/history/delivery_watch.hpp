#pragma once

#include <vector>

#include "sim/history/operators.hpp"

namespace postrider::sim {

/// Notices when another process of a fleet begins to deliver: what the database says at that moment
/// is what holds.
class DeliveryWatch {
 public:
  DeliveryWatch(Context& context, Operators& operators)
      : context_(context), operators_(operators), seen_(context.members.size()) {}

  void after_step();

 private:
  void taken_over(std::size_t member);

  Context& context_;
  Operators& operators_;
  std::vector<const DeliveryWork*> seen_;
};

}  // namespace postrider::sim
