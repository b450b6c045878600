#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <vector>

#include "postrider/stream/cache_budget.hpp"
#include "postrider/stream/fact_batch.hpp"

namespace postrider {

/// The newest facts of a stream, without a gap up to its end, within the budget of all streams. One
/// thread. What it gives is valid until the next change of a cache with the same budget.
class TailCache final : public CacheBudget::Holder {
 public:
  /// Facts up to `begins_after` will not be in it.
  TailCache(CacheBudget& budget, StreamId begins_after)
      : budget_(budget), begins_after_(begins_after), end_(begins_after) {}
  ~TailCache();

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

  void drop_oldest() override;

 private:
  struct Held {
    Chunk chunk;
    CacheBudget::Place place;
  };

  CacheBudget& budget_;
  StreamId begins_after_;  ///< facts up to here are no longer, or were never, in the cache
  StreamId end_;
  std::deque<Held> chunks_;
};

/// Chunks that were read back from the database, within the budget of all streams. One thread. What
/// it gives is valid until the next change of a cache with the same budget.
class ChunkCache final : public CacheBudget::Holder {
 public:
  explicit ChunkCache(CacheBudget& budget) : budget_(budget) {}
  ~ChunkCache();

  /// `after`: no fact of the stream lies between it and the first chunk.
  void add(StreamId after, std::vector<Chunk> chunks);
  /// The run of chunks that holds the first fact after `after`; null when it is not known.
  const std::vector<Chunk>* find_after(StreamId after);

  void drop_oldest() override;

 private:
  struct Entry {
    StreamId after;
    StreamId last;
    CacheBudget::Place place;
    std::vector<Chunk> chunks;
  };
  using Entries = std::list<Entry>;

  CacheBudget& budget_;
  Entries entries_;  ///< most recently used first
  std::map<StreamId, Entries::iterator> by_last_;
};

}  // namespace postrider
