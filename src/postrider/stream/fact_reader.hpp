#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postrider/commit/reader.hpp"
#include "postrider/runtime/async_mutex.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/store/streams.hpp"
#include "postrider/stream/chunk_cache.hpp"
#include "postrider/stream/position_vector.hpp"
#include "postrider/stream/unreadable_facts.hpp"

// Facts after a position are read from the first of three places that holds them without a gap: the
// tail cache (the newest facts, in memory since they were appended), the cache of blocks that were
// read before, the database. Readers that want stored blocks go one after the other, and find what
// the one before them has read in the cache.
//
// Faults. What is damaged on the disk ends a run, and is named; readers decide whether to pass it
// by. It is kept in no cache, so that it is looked at again. The tail cache must not claim facts
// that it lacks: whatever may be missing is invalidated before the linear position passes it.
// Blocks above the linear position are in the database already, and are cut off. Facts that
// retention has dropped, also while a read is under way, are `position_gone` and never a gap.

namespace postrider {

class StreamFormat;

/// All facts after some position and up to `through`.
struct FactRun {
  std::vector<Chunk> chunks;
  StreamId through;
  /// What follows `through`, if that cannot be read: all of its block, of which a part may lie
  /// before, or after what is in order. To be passed by: read on from its end.
  std::optional<UnreadableFacts> unreadable = std::nullopt;
};

/// The error of a reader that comes to facts that cannot be read: `facts_unreadable`, with the
/// token to go on from.
Error unreadable_error(const std::string& stream, const UnreadableFacts& facts);

/// Reads the facts of one stream: the newest from memory, others from the database through a cache.
/// Engine thread.
class FactReader {
 public:
  struct Budgets {
    CacheBudget& tail;
    CacheBudget& blocks;
  };
  /// Facts up to `position` are in the database only. References must outlive the reader.
  FactReader(Runtime& runtime, Reader reader, const StreamRow& row, const StreamFormat& format,
             Budgets budgets, StreamId position);

  /// The next chunk in linear order. One that is not, which only a damaged update can bring, is
  /// left to the database.
  void add(Chunk chunk);
  /// Facts up to here are to be read from the database: some may be missing in memory.
  void invalidate_through(StreamId through) { tail_.invalidate_through(through); }

  /// Facts up to here may be gone.
  [[nodiscard]] StreamId dropped_through() const { return dropped_through_; }
  void set_dropped_through(StreamId through) {
    dropped_through_ = std::max(dropped_through_, through);
  }

  enum class WithAttributes { no, yes };
  /// Facts after `after` and up to `linear`, in order: at least one if there is one, and not many
  /// more than `facts_max`. `position_gone` when facts after `after` were dropped.
  Async<Result<FactRun>> read(StreamId after, StreamId linear, std::size_t facts_max,
                              WithAttributes with);

  /// The same from memory; empty when they are not all there.
  std::optional<FactRun> read_memory(StreamId after, StreamId linear, std::size_t facts_max,
                                     WithAttributes with);

  struct Page {
    std::vector<Chunk> chunks;
    PositionVector through;  ///< to go on from
    /// What follows, if that cannot be read.
    std::optional<UnreadableFacts> unreadable = std::nullopt;
  };
  /// Facts that `after` has not reached and `upto` has, in order of ID: at least one if there is
  /// one, and not many more than `facts_max`.
  Async<Result<Page>> read_between(PositionVector after, PositionVector upto,
                                   std::size_t facts_max);

 private:
  [[nodiscard]] Result<void> check_kept(StreamId after, StreamId dropped_through) const;
  [[nodiscard]] FactRun read_tail(StreamId after, StreamId linear, std::size_t facts_max) const;
  std::optional<FactRun> read_cache(StreamId after, StreamId linear, std::size_t facts_max);
  Async<Result<FactRun>> read_stored(StreamId after, StreamId linear, std::size_t facts_max,
                                     WithAttributes with);
  /// Blocks that follow, each as its chunks; `is_end` when no more were committed by then.
  struct StoredBlocks {
    std::vector<std::vector<Chunk>> blocks;
    std::optional<UnreadableFacts> unreadable;  ///< what comes after them
    bool is_end = false;
    StreamId dropped_through;
  };
  [[nodiscard]] Result<StoredBlocks> read_next(StreamId after, std::size_t facts_max,
                                               WithAttributes with) const;
  /// Adds the next block that was read; false when it cannot be read as a whole.
  [[nodiscard]] Result<bool> add_block(const Block& block, StreamId after, WithAttributes with,
                                       StoredBlocks& stored) const;
  [[nodiscard]] Result<UnreadableFacts> damaged(const Block& block, const Error& error) const;

  Reader reader_;
  StreamKey stream_;
  std::string name_;
  const StreamFormat& format_;
  StreamId dropped_through_;
  TailCache tail_;
  ChunkCache cache_;
  AsyncMutex stored_read_mutex_;
};

}  // namespace postrider
