#include "postrider/stream/reorder_buffer.hpp"

namespace postrider {

bool ReorderBuffer::add(Chunk chunk) {
  const StreamId first = chunk.first;
  if (chunks_.contains(first)) return true;
  if (!budget_.take(chunk.batch->memory_bytes())) return false;
  chunks_.emplace(first, std::move(chunk));
  return true;
}

ReorderBuffer::~ReorderBuffer() {
  for (const auto& [first, chunk] : chunks_) budget_.bytes -= chunk.batch->memory_bytes();
}

std::vector<Chunk> ReorderBuffer::release_through(StreamId linear) {
  std::vector<Chunk> released;
  while (!chunks_.empty() && chunks_.begin()->first <= linear) {
    Chunk chunk = std::move(chunks_.begin()->second);
    chunks_.erase(chunks_.begin());
    budget_.bytes -= chunk.batch->memory_bytes();
    released.push_back(chunk.part(StreamId{0}, linear));
    const Chunk rest = chunk.part(linear, chunk.last());
    if (rest.count == 0) continue;
    budget_.bytes += rest.batch->memory_bytes();
    chunks_.emplace(rest.first, rest);
  }
  return released;
}

}  // namespace postrider
