#include "postrider/stream/id_allocator.hpp"

#include <algorithm>
#include <utility>

#include "postrider/base/assert.hpp"

namespace postrider {

IdCursor::IdCursor(const Reservation& reservation)
    : left_(reservation.drawn.rbegin(), reservation.drawn.rend()) {
  left_.insert(left_.end(), reservation.ids.rbegin(), reservation.ids.rend());
}

std::vector<IdRange> IdCursor::next(std::int64_t count) {
  std::vector<IdRange> taken;
  while (count > 0) {
    POSTRIDER_ASSERT(!left_.empty(), "{} IDs too few are reserved", count);
    IdRange& next = left_.back();
    const IdRange part{next.first, next.first.plus(std::min(count, next.count()) - 1)};
    taken.push_back(part);
    count -= part.count();
    next.first = part.last.plus(1);
    if (next.count() == 0) left_.pop_back();
  }
  return taken;
}

IdAllocator::IdAllocator(Source source, StreamId allocated)
    : source_(source), reservations_(allocated), completed_(allocated) {}

Reservation IdAllocator::reserve(std::int64_t count) {
  POSTRIDER_ASSERT(!is_reserved_, "two reservations at a time");
  is_reserved_ = true;
  Reservation reservation;
  if (source_ == Source::memory) {
    const StreamId last = reservations_.allocated();
    reservation.draw = reservations_.begin_draw();
    reservation.drawn.push_back({last.plus(1), last.plus(count)});
    return reservation;
  }
  std::int64_t spare = 0;
  if (spare_) {
    spare = spare_->count();
    reservation.ids.push_back(*std::exchange(spare_, std::nullopt));
  }
  if (spare >= count) return reservation;
  reservation.to_draw = count - spare;
  reservation.draw = reservations_.begin_draw();
  return reservation;
}

void IdAllocator::finish(const Reservation& reservation, std::int64_t used) {
  is_reserved_ = false;
  std::vector<IdRange> ids = reservation.ids;
  ids.insert(ids.end(), reservation.drawn.begin(), reservation.drawn.end());
  if (reservation.draw) reservations_.end_draw(*reservation.draw, reservation.drawn);
  for (const IdRange& range : ids) {
    const std::int64_t taken = std::min(used, range.count());
    used -= taken;
    const StreamId last = range.first.plus(taken - 1);
    if (taken > 0) {
      reservations_.complete({range.first, last});
      completed_ = last;
    }
    if (taken < range.count()) keep_or_abandon({last.plus(1), range.last});
  }
  POSTRIDER_ASSERT(used == 0, "{} facts without an ID", used);
}

void IdAllocator::keep_or_abandon(IdRange rest) {
  if (source_ == Source::sequence && rest.last >= reservations_.allocated()) {
    spare_ = rest;
  } else {
    reservations_.abandon(rest);
  }
}

void IdAllocator::observe_allocated(StreamId allocated) {
  reservations_.observe_allocated(allocated);
  // Writers that are further on wait for what is not used here.
  if (spare_ && spare_->first < allocated) {
    reservations_.abandon(*spare_);
    spare_.reset();
  }
}

StreamId IdAllocator::position() const {
  // An ID from memory that was given up comes again after a restart, so nothing may say that it is
  // past; one from the sequence never does.
  return source_ == Source::memory ? completed_ : reservations_.position();
}

}  // namespace postrider
