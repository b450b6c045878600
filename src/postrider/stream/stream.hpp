#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "postrider/runtime/turn.hpp"
#include "postrider/store/idempotency.hpp"
#include "postrider/store/streams.hpp"
#include "postrider/stream/chunk_cache.hpp"
#include "postrider/stream/committer.hpp"
#include "postrider/stream/fact_batch.hpp"

namespace prometheus {
class Histogram;
}  // namespace prometheus

namespace postrider {

class EventFormat;

struct StreamSettings {
  std::size_t tail_cache_bytes = 64U << 20;
  std::size_t block_cache_bytes = 32U << 20;
  std::size_t waiting_bytes_max = 256U << 20;  ///< appends that wait for the committer
  Duration idempotency_retain = std::chrono::hours{24};
};

struct StreamMetrics {
  prometheus::Histogram& facts_per_commit;
};

struct IdempotencyKey {
  std::string key;
  std::string body_digest;
};

struct AppendReceipt {
  StreamId first;
  StreamId last;
  std::int64_t fact_count = 0;
  bool repeated = false;  ///< the answer to an earlier append with the same key
};

/// What a database reader needs: a connection and the lane it lives on.
struct Reader {
  Lane& lane;
  SqlConnection& connection;
};

/// An append-only log of facts with one writer: this process. Engine thread.
class Stream {
 public:
  /// `last_id`: the largest ID that was ever given out. References must outlive the stream.
  Stream(Runtime& runtime, Committer& committer, Reader reader, StreamSettings settings,
         StreamMetrics metrics, StreamRow row, StreamId last_id);
  ~Stream();

  [[nodiscard]] StreamKey key() const { return row_.key; }
  [[nodiscard]] const std::string& name() const { return row_.name; }
  [[nodiscard]] const EventFormat& format() const { return *format_; }
  /// Every fact up to here is on disk, or its ID was given up.
  [[nodiscard]] StreamId linear_position() const { return linear_position_; }
  /// Facts up to here may be gone.
  [[nodiscard]] StreamId dropped_through() const { return row_.dropped_through; }
  /// Notified when `linear_position` moves.
  Event& advanced() { return advanced_; }

  /// All facts of the batch under consecutive IDs, or none. Returns after they are on disk.
  /// Errors: `storage_full`, `storage_failed`, `overloaded`, `stopping`,
  /// `idempotency_key_reused`.
  Async<Result<AppendReceipt>> append(std::shared_ptr<const FactBatch> facts,
                                      std::optional<IdempotencyKey> key);

  enum class Keys { not_needed, needed };
  /// Facts after `after`, in order, up to the linear position: at least one if there is one, and
  /// not many more than `facts_max`. `position_gone` when facts after `after` were dropped.
  Async<Result<std::vector<Chunk>>> read(StreamId after, std::size_t facts_max, Keys keys);

  /// Retention has deleted up to here.
  void set_dropped_through(StreamId through) { row_.dropped_through = through; }

 private:
  class AppendWrite;
  struct PendingAppend;
  using PendingAppends = std::vector<std::unique_ptr<PendingAppend>>;

  Async<Result<AppendReceipt>> append_once(std::shared_ptr<const FactBatch> facts,
                                           std::optional<IdempotencyKey> key);
  Async<Result<std::optional<AppendReceipt>>> find_first_answer(const IdempotencyKey* key);
  Result<void> check_kept(StreamId after, StreamId dropped_through) const;
  std::vector<Chunk> read_tail(const Chunk* chunk, StreamId after, std::size_t facts_max) const;
  std::optional<std::vector<Chunk>> read_memory(StreamId after, std::size_t facts_max, Keys keys);
  Async<Result<std::vector<Chunk>>> read_stored(StreamId after, Keys keys);
  void clip(std::vector<Chunk>& chunks, StreamId after) const;
  void finish_appends(PendingAppends& appends, const std::vector<Chunk>& chunks,
                      const Result<void>& outcome);

  Runtime& runtime_;
  Committer& committer_;
  Reader reader_;
  StreamSettings settings_;
  StreamMetrics metrics_;
  StreamRow row_;
  const EventFormat* format_;
  StreamId next_id_;
  StreamId linear_position_;
  Event advanced_;
  Event key_released_;
  TailCache tail_;
  ChunkCache cache_;
  Turn stored_read_turn_;
  PendingAppends waiting_;
  std::size_t waiting_bytes_ = 0;
  std::unordered_set<std::string> keys_in_use_;
};

}  // namespace postrider
