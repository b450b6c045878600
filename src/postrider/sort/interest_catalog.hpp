#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "postrider/runtime/async_mutex.hpp"
#include "postrider/runtime/lane.hpp"
#include "postrider/sort/inboxes.hpp"
#include "postrider/sort/interest_policy.hpp"

namespace postrider {

/// The compiled interests of all services, once for each policy and shared by its streams. Compiles
/// on a lane, so that the engine thread never waits for an automaton. Engine thread.
class InterestCatalog {
 public:
  /// References must outlive the catalog.
  InterestCatalog(Runtime& runtime, Lane& lane, const Inboxes& inboxes);

  struct Current {
    std::uint64_t version = 0;  ///< of `Inboxes::interest_version`
    std::shared_ptr<const InterestRules> rules;
  };
  /// What is registered now, or was when the call began.
  Async<Current> current(const InterestPolicy* policy);

 private:
  Lane& lane_;
  const Inboxes& inboxes_;
  std::map<const InterestPolicy*, Current> current_;
  AsyncMutex mutex_;
};

}  // namespace postrider
