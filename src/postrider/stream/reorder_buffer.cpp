#include "postrider/stream/reorder_buffer.hpp"

namespace postrider {

bool ReorderBuffer::add(Chunk chunk) {
  const std::size_t bytes = chunk.batch->memory_bytes();
  if (bytes_ + bytes > bytes_max_) return false;
  const StreamId first = chunk.first;
  if (chunks_.emplace(first, std::move(chunk)).second) bytes_ += bytes;
  return true;
}

std::vector<Chunk> ReorderBuffer::release_through(StreamId linear) {
  std::vector<Chunk> released;
  while (!chunks_.empty() && chunks_.begin()->first <= linear) {
    Chunk chunk = std::move(chunks_.begin()->second);
    chunks_.erase(chunks_.begin());
    bytes_ -= chunk.batch->memory_bytes();
    released.push_back(chunk.part(StreamId{0}, linear));
    const Chunk rest = chunk.part(linear, chunk.last());
    if (rest.count == 0) continue;
    bytes_ += rest.batch->memory_bytes();
    chunks_.emplace(rest.first, rest);
  }
  return released;
}

}  // namespace postrider
