#include "postrider/stream/chunk_cache.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"

namespace postrider {

void TailCache::add(Chunk chunk) {
  if (chunk.first <= begins_after_) chunk = chunk.part(begins_after_, chunk.last());
  if (chunk.count == 0) return;
  POSTRIDER_ASSERT(chunk.first > end_, "fact {} after {}", chunk.first, end_);
  end_ = chunk.last();
  bytes_ += chunk.batch->memory_bytes();
  chunks_.push_back(std::move(chunk));
  while (bytes_ > bytes_max_) drop_first();
}

void TailCache::drop_first() {
  bytes_ -= chunks_.front().batch->memory_bytes();
  begins_after_ = chunks_.front().last();
  chunks_.pop_front();
}

void TailCache::invalidate_through(StreamId through) {
  if (through <= begins_after_) return;
  while (!chunks_.empty() && chunks_.front().first <= through) drop_first();
  begins_after_ = std::max(begins_after_, through);
  end_ = std::max(end_, begins_after_);
}

const Chunk* TailCache::find_after(StreamId after) const {
  if (!reaches(after) || chunks_.empty()) return nullptr;
  const auto found =
      std::ranges::upper_bound(chunks_, after, {}, [](const Chunk& chunk) { return chunk.last(); });
  return found == chunks_.end() ? nullptr : &*found;
}

const Chunk* TailCache::next(const Chunk* chunk) const {
  return find_after(chunk->last());
}

void ChunkCache::add(StreamId after, std::vector<Chunk> chunks) {
  if (chunks.empty() || by_last_.contains(chunks.back().last())) return;
  std::size_t bytes = 0;
  const FactBatch* counted = nullptr;
  for (const Chunk& chunk : chunks) {
    if (chunk.batch.get() != counted) bytes += chunk.batch->memory_bytes();
    counted = chunk.batch.get();
  }
  const StreamId last = chunks.back().last();
  entries_.push_front({after, last, bytes, std::move(chunks)});
  by_last_.emplace(last, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > bytes_max_) drop_oldest();
}

const std::vector<Chunk>* ChunkCache::find_after(StreamId after) {
  const auto found = by_last_.upper_bound(after);
  if (found == by_last_.end() || after < found->second->after) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->chunks;
}

void ChunkCache::drop_oldest() {
  POSTRIDER_ASSERT(!entries_.empty(), "{} bytes in an empty cache", bytes_);
  bytes_ -= entries_.back().bytes;
  by_last_.erase(entries_.back().last);
  entries_.pop_back();
}

}  // namespace postrider
