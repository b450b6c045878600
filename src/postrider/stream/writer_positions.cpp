#include "postrider/stream/writer_positions.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace postrider {
namespace {

// They only make the linear position move earlier, so that some may be forgotten.
constexpr std::size_t completed_ranges_max = 10'000;

}  // namespace

void WriterPositions::apply_list(const WriterList& list) {
  if (list.newest_session < listed_session_) return;
  listed_session_ = list.newest_session;
  newest_session_ = std::max(newest_session_, listed_session_);
  for (auto& [instance, writer] : writers_) writer.is_live = false;
  for (const auto& listed : list.writers) {
    Writer& writer = writers_[listed.instance];
    writer.position = std::max(writer.position, listed.position);
    writer.is_live = listed.is_live;
  }
  advance_linear();
}

bool WriterPositions::has_forgotten(const WriterList& list) const {
  std::set<InstanceKey> listed;
  for (const auto& writer : list.writers) listed.insert(writer.instance);
  return std::ranges::any_of(writers_, [&listed](const auto& entry) {
    return entry.second.is_live && !listed.contains(entry.first);
  });
}

void WriterPositions::advance(InstanceKey writer, StreamId position, SessionKey newest_session) {
  observe_session(newest_session);
  StreamId& known = writers_[writer].position;
  known = std::max(known, position);
  advance_linear();
}

void WriterPositions::observe_session(SessionKey newest_session) {
  newest_session_ = std::max(newest_session_, newest_session);
}

void WriterPositions::advance_linear_to(StreamId linear) {
  linear_ = std::max(linear_, linear);
  advance_linear();
}

void WriterPositions::complete(IdRange ids) {
  if (ids.last <= linear_ || completed_.size() == completed_ranges_max) return;
  const auto after = completed_.upper_bound(ids.first);
  const bool joins = after != completed_.begin() && std::prev(after)->second == ids.first.plus(-1);
  if (joins) {
    std::prev(after)->second = ids.last;
  } else {
    completed_.emplace(ids.first, ids.last);
  }
  advance_linear();
}

void WriterPositions::advance_linear() {
  if (needs_list()) return;
  std::optional<StreamId> slowest;
  StreamId largest = linear_;
  for (const auto& [instance, writer] : writers_) {
    largest = std::max(largest, writer.position);
    if (!writer.is_live) continue;
    slowest = std::min(slowest.value_or(writer.position), writer.position);
  }
  // Without a live writer nothing is open: who comes next draws larger IDs than all of these.
  slowest_ = std::max(slowest_, slowest.value_or(largest));
  linear_ = std::max(linear_, slowest_);
  while (!completed_.empty() && completed_.begin()->first <= linear_.plus(1)) {
    linear_ = std::max(linear_, completed_.begin()->second);
    completed_.erase(completed_.begin());
  }
  std::erase_if(writers_, [this](const auto& entry) {
    return !entry.second.is_live && entry.second.position <= linear_;
  });
}

StreamId WriterPositions::of(InstanceKey writer) const {
  const auto found = writers_.find(writer);
  return found == writers_.end() ? linear_ : std::max(linear_, found->second.position);
}

std::optional<StreamId> WriterPositions::announced_by(InstanceKey writer) const {
  const auto found = writers_.find(writer);
  if (found == writers_.end()) return std::nullopt;
  return found->second.position;
}

PositionVector WriterPositions::vector() const {
  return {linear_, ahead()};
}

PositionVector WriterPositions::announced() const {
  return {slowest_, ahead()};
}

PositionVector::Ahead WriterPositions::ahead() const {
  PositionVector::Ahead ahead;
  for (const auto& [instance, writer] : writers_) {
    // The slowest is nowhere ahead; of a writer alone nothing is allocated.
    if (writer.position > slowest_) ahead.emplace(instance, writer.position);
  }
  return ahead;
}

}  // namespace postrider
