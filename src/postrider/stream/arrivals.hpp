#pragma once

#include <map>
#include <vector>

#include "postrider/stream/fact_batch.hpp"

namespace postrider {

/// Facts that this process has heard of and that are not yet in linear order, because some writer
/// is behind. Within a number of bytes.
class Arrivals {
 public:
  explicit Arrivals(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// False when there is no room: then it is as if nobody had heard of it.
  [[nodiscard]] bool add(Chunk chunk);
  /// Takes off what lies at or below `linear`, in order.
  std::vector<Chunk> take(StreamId linear);

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::map<StreamId, Chunk> chunks_;
};

}  // namespace postrider
