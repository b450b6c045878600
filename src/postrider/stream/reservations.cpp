#include "postrider/stream/reservations.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"

namespace postrider {

StreamId Reservations::begin_draw() {
  draws_.insert(allocated_);
  return allocated_;
}

void Reservations::end_draw(StreamId begun, std::span<const IdRange> ids) {
  const auto draw = draws_.find(begun);
  POSTRIDER_ASSERT(draw != draws_.end(), "no draw began at {}", begun);
  for (const IdRange& range : ids) {
    POSTRIDER_ASSERT(range.first > position_ && range.last >= range.first,
                     "drew {} to {} after position {}", range.first, range.last, position_);
    open_.emplace(range.first, range.last);
    allocated_ = std::max(allocated_, range.last);
  }
  draws_.erase(draw);
  advance();
}

void Reservations::finish(IdRange ids) {
  const auto after = open_.upper_bound(ids.first);
  POSTRIDER_ASSERT(after != open_.begin(), "{} is not reserved", ids.first);
  const auto open = std::prev(after);
  const auto [first, last] = *open;
  POSTRIDER_ASSERT(ids.last <= last, "{} to {} is not reserved", ids.first, ids.last);
  open_.erase(open);
  if (first < ids.first) open_.emplace(first, ids.first.plus(-1));
  if (ids.last < last) open_.emplace(ids.last.plus(1), last);
  advance();
}

void Reservations::observe_allocated(StreamId allocated) {
  allocated_ = std::max(allocated_, allocated);
  advance();
}

void Reservations::advance() {
  StreamId bound = allocated_;
  if (!draws_.empty()) bound = std::min(bound, *draws_.begin());
  if (!open_.empty()) bound = std::min(bound, open_.begin()->first.plus(-1));
  position_ = std::max(position_, bound);
}

}  // namespace postrider
