#pragma once

#include <map>
#include <vector>

#include "postrider/stream/fact_batch.hpp"

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
