#include "postrider/delivery/service.hpp"

#include <algorithm>

namespace postrider {

std::int64_t Service::behind() const {
  std::int64_t behind = 0;
  for (const auto& [key, stream] : streams) behind += stream.inbox.behind();
  return behind;
}

bool Service::has_frozen() const {
  return std::ranges::any_of(
      streams, [](const auto& each) { return each.second.cursor.frozen_through.has_value(); });
}

bool Service::has_work() const {
  return std::ranges::any_of(streams,
                             [](const auto& each) { return each.second.inbox.behind() > 0; });
}

std::optional<WallTime> Service::oldest_appended_at() const {
  std::optional<WallTime> oldest;
  for (const auto& [key, stream] : streams) {
    const auto its_oldest = stream.inbox.oldest_appended_at();
    if (its_oldest && (!oldest || *its_oldest < *oldest)) oldest = its_oldest;
  }
  return oldest;
}

bool Service::has_unsaved() const {
  const auto is_saved = [](const auto& each) { return each.second.revision.is_saved(); };
  return !revision.is_saved() || !std::ranges::all_of(streams, is_saved);
}

std::int64_t Service::delivered() const {
  std::int64_t delivered = 0;
  for (const auto& [key, stream] : streams) delivered += stream.cursor.delivered;
  return delivered;
}

Service::Streams::const_iterator Service::last_used_stream() const {
  return std::ranges::max_element(streams, {},
                                  [](const auto& each) { return each.second.cursor.transaction; });
}

TransactionNumber Service::last_transaction() const {
  const auto last = last_used_stream();
  return last == streams.end() ? TransactionNumber{} : last->second.cursor.transaction;
}

void Service::restore_turn() {
  const auto last = last_used_stream();
  if (last != streams.end()) turn = last->first;
}

Service::Streams::iterator Service::next_stream() {
  const auto is_frozen = [](const auto& each) {
    return each.second.cursor.frozen_through.has_value();
  };
  const auto is_behind = [](const auto& each) { return each.second.inbox.behind() > 0; };
  if (const auto frozen = std::ranges::find_if(streams, is_frozen); frozen != streams.end()) {
    return frozen;
  }
  const auto next = std::find_if(streams.lower_bound(turn), streams.end(), is_behind);
  return next != streams.end() ? next : std::ranges::find_if(streams, is_behind);
}

void Service::forget_windows() {
  for (auto& [key, stream] : streams) stream.inbox.forget_window();
}

}  // namespace postrider
