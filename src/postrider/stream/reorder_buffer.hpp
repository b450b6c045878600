#pragma once

#include <map>
#include <vector>

#include "postrider/stream/fact_batch.hpp"

// Writers commit at the same time, so facts arrive in another order than that of their IDs. A chunk
// is kept here from its arrival until the linear position has passed it, which proves that nothing
// can come below any more; then it is released, in order, into the tail cache. A chunk across the
// linear position is released in parts.
//
// Faults. What arrives twice is kept once. What finds no room, or never arrives, is not waited for:
// `Stream` invalidates the tail cache up to there, so that readers find it in the database. A
// damaged update may bring chunks that overlap; the reader refuses what is not next in order.

namespace postrider {

/// Facts that have arrived and are not in linear order yet, because some writer is behind. Within a
/// number of bytes. Engine thread.
class ReorderBuffer {
 public:
  explicit ReorderBuffer(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// False when there is no room: then readers must find it in the database. What is there already
  /// from the same ID on stays as it is.
  [[nodiscard]] bool add(Chunk chunk);
  /// Removes what lies at or below `linear`, and gives it in order.
  std::vector<Chunk> release_through(StreamId linear);

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::map<StreamId, Chunk> chunks_;
};

}  // namespace postrider
