#include "postrider/stream/chunk_cache.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"

namespace postrider {

void TailCache::add(Chunk chunk) {
  if (chunk.first <= begins_after_) chunk = chunk.part(begins_after_, chunk.last());
  if (chunk.count == 0) return;
  POSTRIDER_ASSERT(chunk.first > end_, "fact {} after {}", chunk.first, end_);
  end_ = chunk.last();
  const auto place = budget_.add(*this, chunk.batch->memory_bytes());
  chunks_.push_back({std::move(chunk), place});
  budget_.shrink();
}

void TailCache::drop_oldest() {
  budget_.remove(chunks_.front().place);
  begins_after_ = chunks_.front().chunk.last();
  chunks_.pop_front();
}

TailCache::~TailCache() {
  for (const Held& held : chunks_) budget_.remove(held.place);
}

void TailCache::invalidate_through(StreamId through) {
  if (through <= begins_after_) return;
  while (!chunks_.empty() && chunks_.front().chunk.first <= through) drop_oldest();
  begins_after_ = std::max(begins_after_, through);
  end_ = std::max(end_, begins_after_);
}

const Chunk* TailCache::find_after(StreamId after) const {
  if (!reaches(after) || chunks_.empty()) return nullptr;
  const auto last_of = [](const Held& held) { return held.chunk.last(); };
  const auto found = std::ranges::upper_bound(chunks_, after, {}, last_of);
  return found == chunks_.end() ? nullptr : &found->chunk;
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
  entries_.push_front({after, last, budget_.add(*this, bytes), std::move(chunks)});
  by_last_.emplace(last, entries_.begin());
  budget_.shrink();
}

ChunkCache::~ChunkCache() {
  for (const Entry& entry : entries_) budget_.remove(entry.place);
}

const std::vector<Chunk>* ChunkCache::find_after(StreamId after) {
  const auto found = by_last_.upper_bound(after);
  if (found == by_last_.end() || after < found->second->after) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  budget_.use(found->second->place);
  return &found->second->chunks;
}

void ChunkCache::drop_oldest() {
  budget_.remove(entries_.back().place);
  by_last_.erase(entries_.back().last);
  entries_.pop_back();
}

}  // namespace postrider
