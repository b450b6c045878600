#include "postrider/sort/interest_catalog.hpp"

#include <utility>

namespace postrider {

InterestCatalog::InterestCatalog(Runtime& runtime, Lane& lane, const Inboxes& inboxes)
    : lane_(lane), inboxes_(inboxes), mutex_(runtime) {}

Async<InterestCatalog::Current> InterestCatalog::current(const InterestPolicy* policy) {
  co_await mutex_.lock();
  Current current = current_[policy];
  if (current.version != inboxes_.interest_version()) {
    Current next{inboxes_.interest_version(), nullptr};
    auto services = inboxes_.interests();
    auto work = [policy, &services, &current] {
      return policy->compile(std::move(services), current.rules);
    };
    next.rules = co_await run_on(lane_, work);
    current = next;
    current_[policy] = std::move(next);
  }
  mutex_.unlock();
  co_return current;
}

}  // namespace postrider
