#include "postrider/delivery/inbox.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"
#include "postrider/sort/positions.hpp"

namespace postrider {
namespace {

std::size_t cost(const InboxBlock& block) {
  return sizeof(InboxBlock) + block.positions.capacity();
}

}  // namespace

Inbox::Inbox(InboxSeq acknowledged, InboxSeq last, std::optional<WallTime> oldest_appended_at)
    : acknowledged_(acknowledged),
      last_(std::max(acknowledged, last)),
      oldest_appended_at_(oldest_appended_at) {}

std::optional<WallTime> Inbox::oldest_appended_at() const {
  return behind() == 0 ? std::nullopt : oldest_appended_at_;
}

void Inbox::add(const InboxBlock& block) {
  POSTRIDER_ASSERT(block.first_seq == last_.plus(1), "inbox block {} after {}", block.first_seq,
                   last_);
  if (behind() == 0) oldest_appended_at_ = block.appended_at;
  const bool continues = window_end() == last_;
  last_ = block.last_seq;
  if (!windowed_ || !continues || window_bytes_ + cost(block) > window_bytes_max) return;
  window_bytes_ += cost(block);
  window_.push_back(block);
}

void Inbox::acknowledge(InboxSeq through) {
  POSTRIDER_ASSERT(through >= acknowledged_ && through <= last_, "acknowledged {} of {} to {}",
                   through, acknowledged_, last_);
  acknowledged_ = through;
  while (!window_.empty() && window_.front().last_seq <= through) {
    window_bytes_ -= cost(window_.front());
    window_.pop_front();
  }
  if (!window_.empty()) oldest_appended_at_ = window_.front().appended_at;
}

void Inbox::forget_window() {
  windowed_ = false;
  window_ = {};
  window_bytes_ = 0;
  unpacked_ = {};
  unpacked_last_ = {};
  other_ = {};
}

InboxSeq Inbox::window_end() const {
  return window_.empty() ? acknowledged_ : window_.back().last_seq;
}

bool Inbox::needs_blocks(std::size_t count_max) const {
  const auto wanted = std::min(last_, acknowledged_.plus(static_cast<std::int64_t>(count_max)));
  return window_end() < wanted;
}

void Inbox::extend(std::vector<InboxBlock> blocks) {
  windowed_ = true;
  for (InboxBlock& block : blocks) {
    // A block that the sorter added while the read was under way is in the window already.
    if (block.last_seq <= window_end() || block.last_seq > last_) continue;
    window_bytes_ += cost(block);
    window_.push_back(std::move(block));
  }
  if (!window_.empty()) oldest_appended_at_ = window_.front().appended_at;
}

Result<const std::vector<StreamId>*> Inbox::positions(std::size_t block_index) {
  const InboxBlock& block = window_[block_index];
  if (unpacked_last_ == block.last_seq) return &unpacked_;
  TRY(auto positions,
      unpack_positions(block.first_id, block.last_seq.value - block.first_seq.value + 1,
                       block.positions));
  // The first block is sliced again and again; the ones behind it once.
  if (block_index > 0) {
    other_ = std::move(positions);
    return &other_;
  }
  unpacked_ = std::move(positions);
  unpacked_last_ = block.last_seq;
  return &unpacked_;
}

Result<std::vector<InboxEntry>> Inbox::slice(std::size_t count_max) {
  std::vector<InboxEntry> entries;
  InboxSeq next = acknowledged_.plus(1);
  for (std::size_t i = 0; i < window_.size() && entries.size() < count_max; ++i) {
    const InboxBlock& block = window_[i];
    if (next < block.first_seq || next > block.last_seq) {
      return fail(Code::storage_failed, "inbox entry {} is missing before block {} to {}", next,
                  block.first_seq, block.last_seq);
    }
    TRY(const auto* ids, positions(i));
    for (; next <= block.last_seq && entries.size() < count_max; next = next.plus(1)) {
      const auto index = static_cast<std::size_t>(next.value - block.first_seq.value);
      entries.push_back({next, block.stream, ids->at(index)});
    }
  }
  return entries;
}

}  // namespace postrider
