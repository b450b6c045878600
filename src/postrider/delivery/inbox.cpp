#include "postrider/delivery/inbox.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"

namespace postrider {

Inbox::Inbox(StreamId acknowledged, std::int64_t behind, std::optional<WallTime> oldest_appended_at)
    : acknowledged_(acknowledged),
      behind_(behind),
      oldest_appended_at_(oldest_appended_at),
      known_through_(acknowledged),
      is_complete_(behind == 0) {}

std::optional<WallTime> Inbox::oldest_appended_at() const {
  return behind_ == 0 ? std::nullopt : oldest_appended_at_;
}

std::span<const StreamId> Inbox::window() const {
  return std::span(window_).subspan(window_begin_);
}

void Inbox::push(std::span<const StreamId> positions, WallTime appended_at) {
  window_.insert(window_.end(), positions.begin(), positions.end());
  marks_.push_back({positions.back(), appended_at});
  known_through_ = positions.back();
}

void Inbox::add(std::span<const StreamId> positions, WallTime appended_at) {
  POSTRIDER_ASSERT(!positions.empty() && positions.front() > known_through_,
                   "position {} behind {}", positions.empty() ? StreamId{} : positions.front(),
                   known_through_);
  if (behind_ == 0) oldest_appended_at_ = appended_at;
  behind_ += std::ssize(positions);
  if (!is_complete_) return;
  if (window().size() + positions.size() <= window_max) return push(positions, appended_at);
  known_through_ = StreamId{positions.front().value - 1};
  is_complete_ = false;
}

void Inbox::acknowledge(StreamId through, std::int64_t count) {
  POSTRIDER_ASSERT(through >= acknowledged_ && count <= behind_,
                   "acknowledged {} after {}, {} of {}", through, acknowledged_, count, behind_);
  acknowledged_ = through;
  known_through_ = std::max(known_through_, through);
  behind_ -= count;
  while (window_begin_ < window_.size() && window_[window_begin_] <= through) ++window_begin_;
  std::erase_if(marks_, [through](const Mark& mark) { return mark.last <= through; });
  if (!marks_.empty()) oldest_appended_at_ = marks_.front().appended_at;
  // Each position is moved once on average.
  if (2 * window_begin_ < window_.size()) return;
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(window_begin_));
  window_begin_ = 0;
}

void Inbox::forget_window() {
  window_ = {};
  window_begin_ = 0;
  marks_ = {};
  known_through_ = acknowledged_;
  is_complete_ = false;
}

bool Inbox::needs_more(std::size_t count_max) const {
  const auto wanted = std::min(count_max, static_cast<std::size_t>(behind_));
  return !is_complete_ && window().size() < wanted;
}

bool Inbox::needs_more_through(StreamId through) const {
  return !is_complete_ && known_through_ < through;
}

void Inbox::extend(std::span<const StreamId> positions, WallTime appended_at) {
  // What was acknowledged or read meanwhile is known.
  const auto first = std::ranges::upper_bound(positions, known_through_);
  positions = positions.subspan(static_cast<std::size_t>(first - positions.begin()));
  if (positions.empty()) return;
  if (window().empty()) oldest_appended_at_ = appended_at;
  push(positions, appended_at);
}

void Inbox::set_known_through(StreamId through) {
  known_through_ = std::max(known_through_, through);
}

bool Inbox::is_missing_some() const {
  return std::ssize(window()) != behind_;
}

std::size_t Inbox::count_through(StreamId through) const {
  const auto all = window();
  return static_cast<std::size_t>(std::ranges::upper_bound(all, through) - all.begin());
}

std::vector<StreamId> Inbox::slice_after(StreamId after, std::size_t count_max) const {
  const auto later = window().subspan(count_through(after));
  const auto some = later.first(std::min(count_max, later.size()));
  return {some.begin(), some.end()};
}

std::vector<StreamId> Inbox::slice_through(StreamId through) const {
  const auto all = window();
  const auto end = std::ranges::upper_bound(all, through);
  return {all.begin(), end};
}

}  // namespace postrider
