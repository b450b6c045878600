#include "postrider/stream/cache_budget.hpp"

#include <iterator>

namespace postrider {

CacheBudget::Place CacheBudget::add(Holder& holder, std::size_t bytes) {
  bytes_ += bytes;
  entries_.push_back({&holder, bytes});
  return std::prev(entries_.end());
}

void CacheBudget::use(Place place) {
  entries_.splice(entries_.end(), entries_, place);
}

void CacheBudget::remove(Place place) {
  bytes_ -= place->bytes;
  entries_.erase(place);
}

void CacheBudget::shrink() {
  while (bytes_ > bytes_max_) entries_.front().holder->drop_oldest();
}

}  // namespace postrider
