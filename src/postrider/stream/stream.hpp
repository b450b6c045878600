#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "postrider/commit/committer.hpp"
#include "postrider/lease/session.hpp"
#include "postrider/runtime/reply.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/store/idempotency.hpp"
#include "postrider/stream/fact_batch.hpp"
#include "postrider/stream/fact_reader.hpp"
#include "postrider/stream/id_allocator.hpp"
#include "postrider/stream/reorder_buffer.hpp"
#include "postrider/stream/writer_positions.hpp"

// The way of an append. It is added to the next commit; when that begins, IDs are reserved for all
// of its appends (`IdAllocator`); in the transaction conditions and idempotency keys are checked
// and blocks are written; after it, the position is announced: to the other processes through
// `on_update`, and to this one through `apply_update`. There chunks wait in the `ReorderBuffer`
// until every writer is past them (`WriterPositions`), and go to the tail cache of the `FactReader`
// then. Updates of other processes join at `apply_remote_update`, and what the database says of all
// writers at `apply_writer_list`.
//
// Faults. A failed commit leaves IDs without facts, which the position passes. Updates may be lost,
// late, repeated, reordered or damaged: each names the position before it, a gap makes readers go
// to the database, and nothing counts as finished that a writer list or an update does not prove. A
// writer that fails holds the linear position back until its session has ended.

namespace prometheus {
class Histogram;
}  // namespace prometheus

namespace postrider {

struct StreamSettings {
  std::size_t tail_cache_bytes = 64U << 20;      ///< of all streams that share their memory
  std::size_t block_cache_bytes = 32U << 20;     ///< as well
  std::size_t waiting_bytes_max = 256U << 20;    ///< as well: appends that wait for the committer
  Duration retain = std::chrono::hours{24 * 7};  ///< facts that no service needs any more
  Duration idempotency_retain = std::chrono::hours{24};

  bool operator==(const StreamSettings&) const = default;
};

/// What streams may hold in memory, together.
struct StreamMemory {
  explicit StreamMemory(const StreamSettings& settings)
      : tails(settings.tail_cache_bytes),
        blocks(settings.block_cache_bytes),
        reordered{settings.tail_cache_bytes},
        waiting{settings.waiting_bytes_max} {}

  CacheBudget tails;
  CacheBudget blocks;
  ByteBudget reordered;
  ByteBudget waiting;
};

/// Where a stream's IDs come from: from memory when no other process writes, else from the sequence
/// in the database.
struct IdSource {
  StreamId last;                     ///< the largest that was ever given out
  const Session* session = nullptr;  ///< null: from memory
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
  PositionVector token;   ///< has reached these facts
  bool repeated = false;  ///< the answer to an earlier append with the same key
};

/// Asked inside the commit that carries an append, with the IDs that its facts are to have from
/// the first to the last, and again when that is tried again: false refuses the append and nothing
/// else. What it writes is committed with the facts.
using AppendCondition = std::function<Result<bool>(SqlConnection&, IdRange)>;

/// The state in which a session begins to write to a stream.
struct WriterStart {
  StreamId allocated;         ///< every ID that was drawn before is at or below it
  SessionKey newest_session;  ///< looked up after that
};

/// What a writer announces to the other processes when its position moves.
struct WriterUpdate {
  InstanceKey writer;
  StreamId previous;  ///< its position in the update before
  StreamId position;
  SessionKey newest_session;  ///< that had begun, as far as the writer knew
  std::vector<Chunk> chunks;  ///< its facts in between
  std::vector<Block> blocks;  ///< the same as they are stored; of this process's own updates only
  bool is_complete = false;   ///< `chunks` are all that there are in between
};

/// How far interest was decided in a stream.
struct SortedPosition {
  StreamId through;
  std::int64_t facts_unwanted = 0;  ///< up to there, of all time: that no service gets
};

/// What a stream is, as it is stored and configured.
struct StreamDefinition {
  StreamRow row;
  std::shared_ptr<const StreamFormat> format;  ///< that `row` names
  StreamSettings settings;
  /// That it shares with other streams; of its own when null.
  std::shared_ptr<StreamMemory> memory = nullptr;
};

/// An append-only log of facts, written to by this process and, under a session, by others. Engine
/// thread. Whoever waits in one of its coroutines must be done before it is destroyed.
class Stream {
 public:
  /// `ids.last`: every fact that is stored is at or below it, and in order. References must outlive
  /// the stream.
  Stream(Runtime& runtime, Committer& committer, Reader reader, StreamDefinition definition,
         StreamMetrics metrics, IdSource ids);
  ~Stream();

  // These three may be called on any thread.

  [[nodiscard]] StreamKey key() const { return key_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const StreamFormat& format() const { return *format_; }

  /// This process as a writer of the stream; changes with its session.
  [[nodiscard]] InstanceKey writer() const;

  /// Every fact up to here is on disk and known here, or its ID will never carry one.
  [[nodiscard]] StreamId linear_position() const { return positions_.linear(); }
  /// The linear position, and the writers that are ahead of it.
  [[nodiscard]] PositionVector positions() const { return positions_.vector(); }
  /// Facts up to here may be gone.
  [[nodiscard]] StreamId dropped_through() const { return reader_.dropped_through(); }
  /// Interest in every fact up to here is decided and stored, as far as this process knows.
  [[nodiscard]] StreamId sorted_through() const { return sorted_.through; }
  [[nodiscard]] const SortedPosition& sorted() const { return sorted_; }
  /// How many IDs are in order and not sorted.
  [[nodiscard]] std::int64_t sort_lag() const {
    return linear_position().value - sorted_.through.value;
  }
  /// How long facts are kept that no service needs any more.
  [[nodiscard]] Duration retain() const { return settings_.retain; }
  /// Notified when `positions` move.
  Event& advanced() { return advanced_; }

  /// Gives all facts of the batch, which is not empty, rising IDs, or none. Returns after they are
  /// on disk. With a key that an earlier append had, it gives that one's receipt.
  /// Errors: `storage_full`, `storage_failed`, `storage_refused`, `storage_unavailable`,
  /// `session_ended`, `overloaded`, `stopping`, `idempotency_key_reused`.
  Async<Result<AppendReceipt>> append(std::shared_ptr<const FactBatch> facts,
                                      std::optional<IdempotencyKey> key);
  /// The same without a key, for a caller that is no coroutine: calls `done` once, before it
  /// returns when the append is refused.
  void append(std::shared_ptr<const FactBatch> facts, Reply<Result<AppendReceipt>> done);
  /// The same if the condition holds when it comes to that; else empty.
  Async<Result<std::optional<AppendReceipt>>> append_if(std::shared_ptr<const FactBatch> facts,
                                                        AppendCondition condition);

  using WithAttributes = FactReader::WithAttributes;
  /// Facts after `after`, in order, up to the linear position: at least one if there is one, and
  /// not many more than `facts_max`. Errors: `position_gone` when facts after `after` were dropped,
  /// and those of the database.
  Async<Result<FactRun>> read(StreamId after, std::size_t facts_max, WithAttributes with);
  /// The same without waiting: empty when they are not all in memory.
  std::optional<FactRun> read_memory(StreamId after, std::size_t facts_max, WithAttributes with) {
    return reader_.read_memory(after, positions_.linear(), facts_max, with);
  }
  /// Facts that `after` has not reached and `upto` has, in order of ID, not many more than
  /// `facts_max`. `positions` have reached `upto`. Errors as of `read`.
  Async<Result<FactReader::Page>> read_between(PositionVector after, PositionVector upto,
                                               std::size_t facts_max);
  /// Waits until this process knows of everything that `position` has reached. `deadline` when it
  /// does not by `until`, or when `advanced` is notified after the flag was set.
  Async<Result<void>> wait_for(PositionVector position, MonoTime until, const bool* is_given_up);

  /// Retention has deleted up to here, in a transaction that is committed.
  void set_dropped_through(StreamId through) { reader_.set_dropped_through(through); }
  /// The sorter has come this far, in a transaction that is committed.
  void set_sorted(const SortedPosition& sorted) {
    if (sorted.through > sorted_.through) sorted_ = sorted;
  }

  // What a commit is about to append, for who adds to that commit (`CommitParticipant`).

  /// The facts of the commit that is being prepared or under way, with the IDs that they get unless
  /// a key refuses some of them. None while their place in the order is not known yet: others write
  /// too, or an append of the commit has a condition.
  [[nodiscard]] const std::vector<Chunk>& prepared() const { return prepared_; }
  /// `added` is called when the first append of this stream goes to a commit. Empty: no more.
  void on_append_added(std::function<void()> added) { append_added_ = std::move(added); }
  /// Whether the transaction has written all of them. On the committer's lane, after the writes;
  /// on the engine thread when it has ended.
  [[nodiscard]] bool are_prepared_written() const { return are_prepared_written_; }

  // Writing with other processes, under a session.

  /// A session has begun, and with it this process writes from `start` on. No append is under way.
  void begin_session(WriterStart start);
  /// What the database says of all writers. A list that is older than the last one changes nothing.
  void apply_writer_list(const WriterList& list);
  /// What another writer has announced. Updates may come late, twice, and in any order; a gap
  /// before one, or an incomplete one, makes readers go to the database.
  void apply_remote_update(const WriterUpdate& update);
  /// Every ID at or below is known to be finished.
  void advance_linear_to(StreamId linear);
  /// True when the linear position stands still until a newer writer list is applied: a session
  /// has begun that is not in the last one.
  [[nodiscard]] bool needs_writer_list() const { return positions_.needs_list(); }
  /// Facts that are appended here from now on get IDs above `id`, which was drawn by some writer.
  void ensure_ids_above(StreamId id);
  /// The position of this process as a writer.
  [[nodiscard]] StreamId own_position() const { return ids_.position(); }
  /// The newest session that is known to any writer from which there were updates.
  [[nodiscard]] SessionKey newest_session() const { return positions_.newest_session(); }
  /// `announce` is called with each update of this writer, which other processes are to get.
  void on_update(std::function<void(const WriterUpdate&)> announce) {
    announce_ = std::move(announce);
  }

 private:
  class AppendWrite;
  struct PendingAppend;

  Async<Result<AppendReceipt>> append_keyed(std::shared_ptr<const FactBatch> facts,
                                            IdempotencyKey key);
  Async<Result<std::optional<AppendReceipt>>> append_once(std::shared_ptr<const FactBatch> facts,
                                                          std::optional<IdempotencyKey> key,
                                                          AppendCondition condition);
  [[nodiscard]] Result<void> admit(const FactBatch& facts);
  void add_to_next_commit(PendingAppend append);
  struct FirstAppend {
    KeyedAppend append;
    std::optional<InstanceKey> writer;  ///< empty when its facts are not kept any more
  };
  [[nodiscard]] Result<std::optional<FirstAppend>> find_first_append(const std::string& key) const;
  Async<Result<std::optional<AppendReceipt>>> find_first_answer(const IdempotencyKey* key);
  [[nodiscard]] PositionVector token_of(const FirstAppend& first) const;
  void finish_commit(const Reservation& reservation, SessionKey newest_session,
                     std::vector<Chunk> chunks, std::vector<Block> blocks);
  void answer(PendingAppend& append, const Result<void>& outcome);
  /// Applies the update of any writer, and releases what is in order then.
  void apply_update(const WriterUpdate& update);
  void buffer_chunks(const std::vector<Chunk>& chunks, StreamId after);
  void announce_position(std::vector<Chunk> chunks, std::vector<Block> blocks);
  void release_in_order();

  Runtime& runtime_;
  Committer& committer_;
  Reader database_;
  StreamSettings settings_;
  StreamMetrics metrics_;
  StreamKey key_;
  std::string name_;
  std::shared_ptr<const StreamFormat> format_;
  std::shared_ptr<StreamMemory> memory_;
  SortedPosition sorted_;
  const Session* session_;
  IdAllocator ids_;
  StreamId announced_position_;  ///< in the last update of this writer
  WriterPositions positions_;
  ReorderBuffer reorder_buffer_;
  FactReader reader_;
  std::function<void(const WriterUpdate&)> announce_;
  std::function<void()> append_added_;
  Event advanced_;
  Event key_released_;
  std::vector<Chunk> prepared_;
  bool are_prepared_written_ = false;
  bool has_begun_session_ = false;
  AppendWrite* next_write_ = nullptr;  ///< of appends; submitted, and its commit has not begun
  std::unordered_set<std::string> keys_in_use_;
};

}  // namespace postrider
