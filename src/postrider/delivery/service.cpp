#include "postrider/delivery/service.hpp"

#include <algorithm>

namespace postrider {

std::int64_t Service::behind() const {
  std::int64_t behind = 0;
  for (const auto& [key, stream] : streams) behind += stream.inbox.behind();
  return behind;
}

bool Service::has_frozen() const {
  return std::ranges::any_of(streams,
                             [](const auto& each) { return !each.second.cursor.frozen.empty(); });
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

TransactionLimits Service::limits() const {
  TransactionLimits limits = policy.limits;
  if (split_facts_max > 0) limits.facts_max = std::min(limits.facts_max, split_facts_max);
  return limits;
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
  const auto is_frozen = [](const auto& each) { return !each.second.cursor.frozen.empty(); };
  const auto frozen = std::ranges::find_if(streams, is_frozen);
  return frozen != streams.end() ? frozen : stream_behind(turn);
}

Service::Streams::iterator Service::stream_after(StreamKey stream) {
  return stream_behind(stream.plus(1));
}

Service::Streams::iterator Service::stream_behind(StreamKey from) {
  const auto is_behind = [](const auto& each) { return each.second.inbox.behind() > 0; };
  const auto next = std::find_if(streams.lower_bound(from), streams.end(), is_behind);
  return next != streams.end() ? next : std::ranges::find_if(streams, is_behind);
}

void Service::forget_windows() {
  for (auto& [key, stream] : streams) stream.inbox.forget_window();
}

}  // namespace postrider
