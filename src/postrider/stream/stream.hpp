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
#include "postrider/store/blocks.hpp"
#include "postrider/store/idempotency.hpp"
#include "postrider/stream/arrivals.hpp"
#include "postrider/stream/fact_batch.hpp"
#include "postrider/stream/fact_reader.hpp"
#include "postrider/stream/id_supply.hpp"
#include "postrider/stream/writer_positions.hpp"

namespace prometheus {
class Histogram;
}  // namespace prometheus

namespace postrider {

struct StreamSettings {
  std::size_t tail_cache_bytes = 64U << 20;
  std::size_t block_cache_bytes = 32U << 20;
  std::size_t waiting_bytes_max = 256U << 20;    ///< appends that wait for the committer
  Duration retain = std::chrono::hours{24 * 7};  ///< facts that no service needs any more
  Duration idempotency_retain = std::chrono::hours{24};
};

/// Where a stream's IDs come from.
struct IdOrigin {
  StreamId last;                     ///< the largest that was ever given out
  const Session* session = nullptr;  ///< null when no other process writes: from memory
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

/// Where a session begins to write.
struct WriterStart {
  StreamId allocated;         ///< every ID that was drawn before is at or below it
  SessionKey newest_session;  ///< looked up after that
};

/// What a writer says when its position moves.
struct WriterWord {
  InstanceKey writer;
  StreamId previous;  ///< where it stood the last time that it said something
  StreamId position;
  SessionKey newest_session;  ///< that the writer knew of
  std::vector<Chunk> chunks;  ///< its facts in between
  std::vector<Block> blocks;  ///< the same, as they are stored; of this process's own words only
  bool has_facts = false;     ///< `chunks` are all that there are in between
};

/// An append-only log of facts, written to by this process and, under a session, by others. Engine
/// thread.
class Stream {
 public:
  /// References must outlive the stream.
  Stream(Runtime& runtime, Committer& committer, Reader reader, StreamSettings settings,
         StreamMetrics metrics, const StreamRow& row, IdOrigin ids);
  ~Stream();

  [[nodiscard]] StreamKey key() const { return key_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const EventFormat& format() const { return *format_; }
  /// Every fact up to here is on disk, or its ID was given up.
  [[nodiscard]] StreamId linear_position() const { return positions_.linear(); }
  /// The linear position, and the writers that are ahead of it.
  [[nodiscard]] PositionVector positions() const { return positions_.vector(); }
  /// Facts up to here may be gone.
  [[nodiscard]] StreamId dropped_through() const { return reader_.dropped_through(); }
  /// Interest in every fact up to here is decided and stored, as far as this process knows.
  [[nodiscard]] StreamId sorted_through() const { return sorted_through_; }
  void set_sorted_through(StreamId through) {
    sorted_through_ = std::max(sorted_through_, through);
  }
  /// How many IDs are in order and not sorted.
  [[nodiscard]] std::int64_t sort_lag() const {
    return linear_position().value - sorted_through_.value;
  }
  /// How long facts are kept that no service needs any more.
  [[nodiscard]] Duration retain() const { return settings_.retain; }
  /// Notified when `positions` move.
  Event& advanced() { return advanced_; }

  /// All facts of the batch under rising IDs, or none. Returns after they are on disk.
  /// Errors: `storage_full`, `storage_failed`, `storage_unavailable`, `session_ended`,
  /// `overloaded`, `stopping`, `idempotency_key_reused`.
  Async<Result<AppendReceipt>> append(std::shared_ptr<const FactBatch> facts,
                                      std::optional<IdempotencyKey> key);
  /// The same if the condition holds when it comes to that; else `conflict`.
  Async<Result<AppendReceipt>> append_if(std::shared_ptr<const FactBatch> facts,
                                         AppendCondition condition);

  using Keys = FactReader::Keys;
  /// Facts after `after`, in order, up to the linear position: at least one if there is one, and
  /// not many more than `facts_max`. `position_gone` when facts after `after` were dropped.
  Async<Result<FactRun>> read(StreamId after, std::size_t facts_max, Keys keys);
  /// Facts that `after` has not reached and `upto` has, in order of ID, not many more than
  /// `facts_max`. `upto` was reached here.
  Async<Result<FactReader::Page>> read_between(PositionVector after, PositionVector upto,
                                               std::size_t facts_max);
  /// Waits until this process knows of everything that `position` has reached. `deadline` when
  /// that takes too long.
  Async<Result<void>> wait_for(PositionVector position, MonoTime until);

  /// Retention has deleted up to here.
  void set_dropped_through(StreamId through) { reader_.set_dropped_through(through); }

  /// Under a session, while no append is under way.
  void begin_session(WriterStart start);
  /// What the database says of the writers.
  void adopt(const WriterList& list);
  /// What another writer says.
  void hear(const WriterWord& word);
  /// Every ID at or below is known to be finished.
  void reach(StreamId linear);
  /// True when nothing new is in order before `adopt` was called with a newer list.
  [[nodiscard]] bool lacks_writers() const { return positions_.lacks_list(); }
  /// Whoever appends here from now on gets larger IDs.
  void pass(StreamId id);
  /// The position of this process as a writer.
  [[nodiscard]] StreamId own_position() const { return ids_.position(); }
  /// The newest session that any writer spoke of.
  [[nodiscard]] SessionKey newest_session() const { return positions_.newest_session(); }
  /// Called with each word of this writer.
  void on_word(std::function<void(const WriterWord&)> say) { say_ = std::move(say); }

 private:
  class AppendWrite;
  struct PendingAppend;
  using PendingAppends = std::vector<std::unique_ptr<PendingAppend>>;

  Async<Result<AppendReceipt>> append_keyed(std::shared_ptr<const FactBatch> facts,
                                            IdempotencyKey key);
  Async<Result<AppendReceipt>> append_once(std::shared_ptr<const FactBatch> facts,
                                           std::optional<IdempotencyKey> key,
                                           AppendCondition condition);
  struct FirstAppend {
    KeyedAppend append;
    std::optional<InstanceKey> writer;  ///< empty when its facts are not kept any more
  };
  [[nodiscard]] Result<std::optional<FirstAppend>> find_first_append(const std::string& key) const;
  Async<Result<std::optional<AppendReceipt>>> find_first_answer(const IdempotencyKey* key);
  [[nodiscard]] PositionVector token_of(const FirstAppend& first) const;
  void finish_appends(AppendWrite& write, const Result<void>& outcome);
  void answer_appends(PendingAppends& appends, const Result<void>& outcome);
  [[nodiscard]] InstanceKey writer() const;
  /// Takes what somebody said, and puts into order what can be.
  void take(const WriterWord& word);
  void arrive(const std::vector<Chunk>& chunks, StreamId after);
  void speak(std::vector<Chunk> chunks, std::vector<Block> blocks);
  void put_in_order();

  Runtime& runtime_;
  Committer& committer_;
  Reader database_;
  StreamSettings settings_;
  StreamMetrics metrics_;
  StreamKey key_;
  std::string name_;
  const EventFormat* format_;
  StreamId sorted_through_;
  const Session* session_;
  IdSupply ids_;
  StreamId said_position_;  ///< in the last word
  WriterPositions positions_;
  Arrivals arrivals_;
  FactReader reader_;
  std::function<void(const WriterWord&)> say_;
  Event advanced_;
  Event key_released_;
  PendingAppends waiting_;
  std::size_t waiting_bytes_ = 0;
  std::unordered_set<std::string> keys_in_use_;
};

}  // namespace postrider
