#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <vector>

#include "postrider/stream/fact_batch.hpp"

namespace postrider {

/// The newest facts of a stream, without a gap up to its end, within a number of bytes. One thread.
/// What it gives is valid until the next change.
class TailCache {
 public:
  /// Facts up to `begins_after` will not be in it.
  TailCache(std::size_t bytes_max, StreamId begins_after)
      : bytes_max_(bytes_max), begins_after_(begins_after), end_(begins_after) {}

  /// `chunk` follows everything that was added before. What of it was invalidated is left out.
  void add(Chunk chunk);
  /// Drops what it holds up to here: some of it may be missing.
  void invalidate_through(StreamId through);
  /// Everything up to here was added or invalidated.
  [[nodiscard]] StreamId end() const { return end_; }
  /// True when every fact after `after` is in it.
  [[nodiscard]] bool reaches(StreamId after) const { return after >= begins_after_; }
  /// The chunk that holds the first fact after `after`, when the cache reaches back that far.
  [[nodiscard]] const Chunk* find_after(StreamId after) const;
  /// Iterates from what `find_after` gave to the end.
  [[nodiscard]] const Chunk* next(const Chunk* chunk) const;

 private:
  void drop_first();

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  StreamId begins_after_;  ///< facts up to here are no longer, or were never, in the cache
  StreamId end_;
  std::deque<Chunk> chunks_;
};

/// Chunks that were read back from the database, least recently used out first. One thread. What it
/// gives is valid until the next change.
class ChunkCache {
 public:
  explicit ChunkCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// `after`: no fact of the stream lies between it and the first chunk.
  void add(StreamId after, std::vector<Chunk> chunks);
  /// The run of chunks that holds the first fact after `after`; null when it is not known.
  const std::vector<Chunk>* find_after(StreamId after);

 private:
  struct Entry {
    StreamId after;
    StreamId last;
    std::size_t bytes = 0;
    std::vector<Chunk> chunks;
  };
  using Entries = std::list<Entry>;
  void drop_oldest();

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  Entries entries_;  ///< most recently used first
  std::map<StreamId, Entries::iterator> by_last_;
};

}  // namespace postrider
