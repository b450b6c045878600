#pragma once

#include <map>
#include <vector>

#include "postrider/stream/cache_budget.hpp"
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

/// Facts that have arrived and are not in linear order yet, because some writer is behind. Within
/// the budget of all streams, which outlives it. Engine thread.
class ReorderBuffer {
 public:
  explicit ReorderBuffer(ByteBudget& budget) : budget_(budget) {}
  ReorderBuffer(const ReorderBuffer&) = delete;
  ReorderBuffer& operator=(const ReorderBuffer&) = delete;
  ~ReorderBuffer();

  /// False when there is no room: then readers must find it in the database. What is there already
  /// from the same ID on stays as it is.
  [[nodiscard]] bool add(Chunk chunk);
  /// Removes what lies at or below `linear`, and gives it in order.
  std::vector<Chunk> release_through(StreamId linear);

 private:
  ByteBudget& budget_;
  std::map<StreamId, Chunk> chunks_;
};

}  // namespace postrider
