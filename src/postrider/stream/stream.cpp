#include "postrider/stream/stream.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <prometheus/histogram.h>

#include "postrider/base/assert.hpp"
#include "postrider/stream/block.hpp"

namespace postrider {
namespace {

constexpr InstanceKey only_writer{0};

IdAllocator::Source allocator_source(const Session* session) {
  return session == nullptr ? IdAllocator::Source::memory : IdAllocator::Source::sequence;
}

}  // namespace

struct Stream::PendingAppend {
  std::shared_ptr<const FactBatch> facts;
  std::optional<IdempotencyKey> key;
  AppendCondition condition;
  StreamId first;
  StreamId last;
  bool is_refused = false;  ///< by its condition, or another process has taken its key meanwhile
  Reply<Result<std::optional<AppendReceipt>>> done;
  bool is_answered = false;

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(facts->size()); }
};

/// The appends of one commit. It is the stream's `next_write_`, and accepts more, until that
/// begins.
class Stream::AppendWrite final : public Write {
 public:
  explicit AppendWrite(Stream& stream) : stream_(stream) {}

  void add(PendingAppend append) { appends_.push_back(std::move(append)); }

  void prepare() override {
    if (stream_.next_write_ == this) stream_.next_write_ = nullptr;
    now_ = stream_.runtime_.wall_now();
    keys_expired_before_ =
        now_ - std::chrono::ceil<std::chrono::milliseconds>(stream_.settings_.idempotency_retain);
    std::int64_t count = 0;
    for (const PendingAppend& append : appends_) count += append.count();
    reservation_ = stream_.ids_.reserve(count);
    is_prepared_ = true;
    if (is_certain()) stream_.prepared_ = foretell();
  }

  [[nodiscard]] bool reserves() const override { return reservation_.to_draw > 0; }

  Result<void> reserve(SqlConnection& connection) override {
    if (!reservation_.drawn.empty()) return {};  // tried again
    TRY(auto drawn, draw_ids(connection, stream_.key_, reservation_.to_draw));
    // After the draw: who begins later draws larger IDs. What was drawn without it is not used.
    TRY(newest_session_, read_newest_session(connection));
    reservation_.drawn = std::move(drawn);
    return {};
  }

  Result<void> apply(SqlConnection& connection) override {
    chunks_.clear();
    blocks_.clear();
    IdCursor ids(reservation_);
    for (PendingAppend& append : appends_) TRY_VOID(place(connection, append, ids));
    const auto is_refused = [](const PendingAppend& append) { return append.is_refused; };
    stream_.are_prepared_written_ = std::ranges::none_of(appends_, is_refused);
    for (auto from = chunks_.begin(); from != chunks_.end();) {
      const auto to = std::ranges::adjacent_find(from, chunks_.end(), not_neighbours);
      const auto end = to == chunks_.end() ? to : std::next(to);
      for (Block& block : pack_blocks(std::span(from, end))) {
        TRY_VOID(insert_block(connection, stream_.key_, block));
        blocks_.push_back(std::move(block));
      }
      from = end;
    }
    if (stream_.session_ == nullptr || chunks_.empty()) return {};
    return put_writer_position(connection, {stream_.key_, stream_.writer(), chunks_.back().last()});
  }

  void finish(const Result<void>& outcome) override {
    if (!outcome) chunks_.clear();
    stream_.prepared_.clear();
    if (is_prepared_) {
      stream_.finish_commit(reservation_, newest_session_, std::move(chunks_), std::move(blocks_));
    } else if (stream_.next_write_ == this) {
      // There is no commit: the server stops, the session has ended, or the database is away.
      stream_.next_write_ = nullptr;
    }
    for (PendingAppend& append : appends_) stream_.answer(append, outcome);
  }

  /// Its facts may yet get into the stream.
  void on_doubt(const Error& error) override {
    const Result<void> unknown = std::unexpected(error);
    for (PendingAppend& append : appends_) stream_.answer(append, unknown);
  }

  /// Its IDs are given back, as after every failure; each half reserves some of its own.
  std::vector<std::unique_ptr<Write>> split() override {
    if (appends_.size() == 1) return {};
    const auto middle = appends_.begin() + std::ssize(appends_) / 2;
    std::array halves = {std::make_unique<AppendWrite>(stream_),
                         std::make_unique<AppendWrite>(stream_)};
    std::move(appends_.begin(), middle, std::back_inserter(halves[0]->appends_));
    std::move(middle, appends_.end(), std::back_inserter(halves[1]->appends_));
    appends_.clear();
    finish(fail(Code::storage_refused, "it is committed in halves"));
    std::vector<std::unique_ptr<Write>> writes;
    for (auto& half : halves) writes.push_back(std::move(half));
    return writes;
  }

 private:
  /// Between the IDs of one block nobody else may have any.
  static bool not_neighbours(const Chunk& one, const Chunk& next) {
    return one.last().plus(1) != next.first;
  }

  Result<void> place(SqlConnection& connection, PendingAppend& append, IdCursor& ids) {
    IdCursor after = ids;
    const std::vector<IdRange> ranges = after.next(append.count());
    append.first = ranges.front().first;
    append.last = ranges.back().last;
    if (append.condition) {
      TRY(const bool holds, append.condition(connection, {append.first, append.last}));
      append.is_refused = !holds;
      if (!holds) return {};
    }
    if (append.key) {
      KeyedAppend row{append.key->key, append.key->body_digest, append.first,
                      append.last,     append.count(),          now_};
      TRY(const bool inserted,
          insert_keyed_append(connection, stream_.key_, row, keys_expired_before_));
      append.is_refused = !inserted;
      if (!inserted) return {};
    }
    ids = after;
    add_chunks(ranges, append.facts, chunks_);
    return {};
  }

  void add_chunks(const std::vector<IdRange>& ranges, const std::shared_ptr<const FactBatch>& facts,
                  std::vector<Chunk>& chunks) const {
    std::uint32_t begin = 0;
    for (const IdRange& range : ranges) {
      const auto count = static_cast<std::uint32_t>(range.count());
      chunks.push_back({range.first, begin, count, now_, facts, stream_.writer()});
      begin += count;
    }
  }

  /// Whether it is known before the transaction which facts get which IDs, and that all facts with
  /// smaller ones are on disk. A key that is used already was found before.
  [[nodiscard]] bool is_certain() const {
    const auto has_condition = [](const PendingAppend& append) {
      return append.condition != nullptr;
    };
    return stream_.session_ == nullptr && std::ranges::none_of(appends_, has_condition);
  }

  [[nodiscard]] std::vector<Chunk> foretell() const {
    std::vector<Chunk> chunks;
    IdCursor ids(reservation_);
    for (const PendingAppend& append : appends_) {
      add_chunks(ids.next(append.count()), append.facts, chunks);
    }
    return chunks;
  }

  Stream& stream_;
  bool is_prepared_ = false;
  std::vector<PendingAppend> appends_;
  Reservation reservation_;
  SessionKey newest_session_;
  std::vector<Chunk> chunks_;
  std::vector<Block> blocks_;
  WallTime now_{};
  WallTime keys_expired_before_{};
};

Stream::Stream(Runtime& runtime, Committer& committer, Reader reader, StreamDefinition definition,
               StreamMetrics metrics, IdSource ids)
    : runtime_(runtime),
      committer_(committer),
      database_(reader),
      settings_(definition.settings),
      metrics_(metrics),
      key_(definition.row.key),
      name_(definition.row.name),
      format_(std::move(definition.format)),
      memory_(definition.memory ? std::move(definition.memory)
                                : std::make_shared<StreamMemory>(settings_)),
      sorted_{definition.row.sorted_through, definition.row.facts_unwanted},
      session_(ids.session),
      ids_(allocator_source(ids.session), ids.last),
      announced_position_(ids.last),
      positions_(ids.last),
      reorder_buffer_(memory_->reordered),
      reader_(runtime, reader, definition.row, *format_, {memory_->tails, memory_->blocks},
              ids.last),
      advanced_(runtime),
      key_released_(runtime) {
  if (ids.session == nullptr)
    positions_.apply_list({SessionKey{0}, {{only_writer, ids.last, true}}});
}

Stream::~Stream() = default;

InstanceKey Stream::writer() const {
  return session_ == nullptr ? only_writer : session_->instance();
}

Async<Result<AppendReceipt>> Stream::append(std::shared_ptr<const FactBatch> facts,
                                            std::optional<IdempotencyKey> key) {
  if (!key) {
    CO_TRY(auto receipt, co_await append_once(std::move(facts), std::nullopt, nullptr));
    co_return std::move(receipt).value();  // nothing refuses it
  }
  // One append at a time under a key: a second one waits and then finds the first one's answer.
  const std::string name = key->key;
  while (keys_in_use_.contains(name)) co_await key_released_.wait();
  keys_in_use_.insert(name);
  Result<AppendReceipt> receipt = co_await append_keyed(std::move(facts), *std::move(key));
  keys_in_use_.erase(name);
  key_released_.notify_all();
  co_return receipt;
}

Async<Result<std::optional<AppendReceipt>>> Stream::append_if(
    std::shared_ptr<const FactBatch> facts, AppendCondition condition) {
  co_return co_await append_once(std::move(facts), std::nullopt, std::move(condition));
}

Async<Result<AppendReceipt>> Stream::append_keyed(std::shared_ptr<const FactBatch> facts,
                                                  IdempotencyKey key) {
  while (true) {
    CO_TRY(const auto first_answer, co_await find_first_answer(&key));
    if (first_answer) co_return *first_answer;
    CO_TRY(auto receipt, co_await append_once(facts, key, nullptr));
    if (receipt) co_return *std::move(receipt);
    // Refused: another process has used the key meanwhile.
  }
}

/// On the database's lane.
Result<std::optional<Stream::FirstAppend>> Stream::find_first_append(const std::string& key) const {
  SqlConnection& connection = database_.connection;
  TRY(auto found, find_keyed_append(connection, key_, key));
  if (!found) return std::nullopt;
  TRY(const auto writer, find_writer(connection, key_, found->last));
  return FirstAppend{*std::move(found), writer};
}

Async<Result<std::optional<AppendReceipt>>> Stream::find_first_answer(const IdempotencyKey* key) {
  auto work = [this, key] { return find_first_append(key->key); };
  CO_TRY(const auto first, co_await run_on(database_.lane, work));
  if (!first || runtime_.wall_now() - first->append.created_at > settings_.idempotency_retain) {
    co_return std::nullopt;
  }
  const KeyedAppend& append = first->append;
  if (append.body_digest != key->body_digest) {
    co_return fail(Code::idempotency_key_reused,
                   "Idempotency-Key \"{}\" was used for an append with another body; use a new key"
                   " for new facts",
                   key->key);
  }
  AppendReceipt receipt{append.first, append.last, append.fact_count, token_of(*first), true};
  co_return receipt;
}

/// Its receiver may go on to read from it: it must not claim facts that others may still commit
/// below.
PositionVector Stream::token_of(const FirstAppend& first) const {
  const StreamId last = first.append.last;
  if (!first.writer) return PositionVector(last);  // only facts in order are ever dropped
  return {std::min(positions_.linear(), last), {{*first.writer, last}}};
}

void Stream::append(std::shared_ptr<const FactBatch> facts, Reply<Result<AppendReceipt>> done) {
  if (auto admitted = admit(*facts); !admitted) {
    return done(std::unexpected(std::move(admitted).error()));
  }
  auto answer = [done = std::move(done)](Result<std::optional<AppendReceipt>> receipt) mutable {
    if (!receipt) return done(std::unexpected(std::move(receipt).error()));
    done(**std::move(receipt));  // nothing refuses it
  };
  add_to_next_commit(
      PendingAppend{std::move(facts), std::nullopt, nullptr, {}, {}, false, std::move(answer)});
}

/// Counts what waits for the disk from here on.
Result<void> Stream::admit(const FactBatch& facts) {
  POSTRIDER_ASSERT(facts.size() > 0, "an append without facts");
  ByteBudget& waiting = memory_->waiting;
  if (waiting.bytes > waiting.bytes_max) {
    return fail(Code::overloaded, "{} bytes of appends wait for the disk already; try again later",
                waiting.bytes);
  }
  waiting.bytes += facts.memory_bytes();
  return {};
}

/// Empty when the append was refused.
Async<Result<std::optional<AppendReceipt>>> Stream::append_once(
    std::shared_ptr<const FactBatch> facts, std::optional<IdempotencyKey> key,
    AppendCondition condition) {
  CO_TRY_VOID(admit(*facts));
  auto start = [this, &facts, &key, &condition](Reply<Result<std::optional<AppendReceipt>>> done) {
    add_to_next_commit(PendingAppend{
        std::move(facts), std::move(key), std::move(condition), {}, {}, false, std::move(done)});
  };
  co_return co_await await_reply<Result<std::optional<AppendReceipt>>>(runtime_.executor(), start);
}

void Stream::add_to_next_commit(PendingAppend append) {
  if (next_write_ != nullptr) return next_write_->add(std::move(append));
  auto write = std::make_unique<AppendWrite>(*this);
  write->add(std::move(append));
  next_write_ = write.get();
  committer_.submit(std::move(write));
  if (append_added_) append_added_();
}

/// `chunks` are what was committed.
void Stream::finish_commit(const Reservation& reservation, SessionKey newest_session,
                           std::vector<Chunk> chunks, std::vector<Block> blocks) {
  std::int64_t used = 0;
  for (const Chunk& chunk : chunks) used += chunk.count;
  positions_.observe_session(newest_session);
  ids_.finish(reservation, used);
  if (used > 0) metrics_.facts_per_commit.Observe(static_cast<double>(used));
  announce_position(std::move(chunks), std::move(blocks));
}

void Stream::answer(PendingAppend& append, const Result<void>& outcome) {
  if (std::exchange(append.is_answered, true)) return;
  memory_->waiting.bytes -= append.facts->memory_bytes();
  if (!outcome) {
    append.done(std::unexpected(outcome.error()));
  } else if (append.is_refused) {
    append.done(std::nullopt);
  } else {
    append.done(
        AppendReceipt{append.first, append.last, append.count(), positions_.announced(), false});
  }
}

void Stream::announce_position(std::vector<Chunk> chunks, std::vector<Block> blocks) {
  const StreamId position = ids_.position();
  if (position <= announced_position_) return;
  WriterUpdate update{writer(),          announced_position_, position, positions_.newest_session(),
                      std::move(chunks), std::move(blocks),   true};
  announced_position_ = position;
  if (announce_) announce_(update);
  apply_update(update);
}

void Stream::apply_remote_update(const WriterUpdate& update) {
  apply_update(update);
  ids_.observe_allocated(update.position);
  announce_position({}, {});
}

void Stream::ensure_ids_above(StreamId id) {
  ids_.observe_allocated(id);
  announce_position({}, {});
}

void Stream::apply_update(const WriterUpdate& update) {
  // Updates of a writer that is gone may come late, with facts that are in order already.
  const StreamId known = positions_.of(update.writer);
  if (update.previous > known) reader_.invalidate_through(update.previous);
  if (!update.is_complete) reader_.invalidate_through(update.position);
  buffer_chunks(update.chunks, known);
  for (const Chunk& chunk : update.chunks) positions_.complete({chunk.first, chunk.last()});
  positions_.advance(update.writer, update.position, update.newest_session);
  release_in_order();
}

void Stream::buffer_chunks(const std::vector<Chunk>& chunks, StreamId after) {
  for (const Chunk& chunk : chunks) {
    const Chunk part = chunk.part(after, chunk.last());
    if (part.count > 0 && !reorder_buffer_.add(part)) reader_.invalidate_through(part.last());
  }
}

void Stream::apply_writer_list(const WriterList& list) {
  if (positions_.has_forgotten(list)) reader_.invalidate_through(list.largest_position);
  for (const auto& writer : list.writers) {
    const auto known = positions_.announced_by(writer.instance);
    if (!known || *known < writer.position) reader_.invalidate_through(writer.position);
  }
  positions_.apply_list(list);
  for (const auto& writer : list.writers) ids_.observe_allocated(writer.position);
  release_in_order();
  announce_position({}, {});
}

void Stream::advance_linear_to(StreamId linear) {
  if (linear <= positions_.linear()) return;
  reader_.invalidate_through(linear);
  positions_.advance_linear_to(linear);
  release_in_order();
}

void Stream::begin_session(WriterStart start) {
  // What the session before has committed last may be unknown here.
  if (std::exchange(has_begun_session_, true)) reader_.invalidate_through(start.allocated);
  ids_ = IdAllocator(IdAllocator::Source::sequence, start.allocated);
  announced_position_ = start.allocated;
  // Others may have drawn IDs below before they were in any list that was applied here.
  positions_.observe_session(start.newest_session);
}

void Stream::release_in_order() {
  auto released = reorder_buffer_.release_through(positions_.linear());
  for (Chunk& chunk : released) reader_.add(std::move(chunk));
  advanced_.notify_all();
}

Async<Result<FactRun>> Stream::read(StreamId after, std::size_t facts_max, WithAttributes with) {
  co_return co_await reader_.read(after, positions_.linear(), facts_max, with);
}

Async<Result<FactReader::Page>> Stream::read_between(PositionVector after, PositionVector upto,
                                                     std::size_t facts_max) {
  co_return co_await reader_.read_between(std::move(after), std::move(upto), facts_max);
}

Async<Result<void>> Stream::wait_for(PositionVector position, MonoTime until,
                                     const bool* is_given_up) {
  Wake wake = Wake::notified;
  while (!positions_.vector().reaches(position)) {
    if (wake == Wake::notified && !*is_given_up) {
      wake = co_await advanced_.wait_until(until);
      continue;
    }
    co_return fail(Code::deadline, "stream \"{}\" has not reached {} here in time; it stands at {}",
                   name_, position.token(), positions_.vector().token());
  }
  co_return Result<void>{};
}

}  // namespace postrider
