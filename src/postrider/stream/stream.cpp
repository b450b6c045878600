#include "postrider/stream/stream.hpp"

#include <algorithm>
#include <utility>

#include <prometheus/histogram.h>

#include "postrider/base/assert.hpp"
#include "postrider/runtime/reply.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/stream/block.hpp"
#include "postrider/stream/event_format.hpp"
#include "postrider/stream/fact_parser.hpp"

namespace postrider {
namespace {

// Blocks hold up to 1 MiB; a read takes a few, so that a cold reader does not pay a hop for each.
constexpr std::int64_t blocks_per_read = 4;

}  // namespace

struct Stream::PendingAppend {
  std::shared_ptr<const FactBatch> facts;
  std::optional<IdempotencyKey> key;
  StreamId first;
  Reply<Result<AppendReceipt>> done;
};

/// Carries every append that waits when its commit begins, as one run of chunks.
class Stream::AppendWrite final : public Write {
 public:
  explicit AppendWrite(Stream& stream) : stream_(stream) {}

  void prepare() override {
    appends_ = std::exchange(stream_.waiting_, {});
    now_ = stream_.runtime_.wall_now();
    for (const auto& append : appends_) {
      append->first = stream_.next_id_;
      const auto count = static_cast<std::uint32_t>(append->facts->size());
      chunks_.push_back({stream_.next_id_, 0, count, now_, append->facts});
      stream_.next_id_ = stream_.next_id_.plus(count);
    }
  }

  Result<void> apply(SqlConnection& connection) override {
    for (const Block& block : pack_blocks(chunks_)) {
      TRY_VOID(insert_block(connection, stream_.row_.key, block));
    }
    for (const auto& append : appends_) {
      if (!append->key) continue;
      const auto count = static_cast<std::int64_t>(append->facts->size());
      TRY_VOID(insert_keyed_append(connection, stream_.row_.key,
                                   {.key = append->key->key,
                                    .body_digest = append->key->body_digest,
                                    .first = append->first,
                                    .last = append->first.plus(count - 1),
                                    .fact_count = count,
                                    .created_at = now_}));
    }
    return {};
  }

  void finish(const Result<void>& outcome) override {
    if (chunks_.empty())
      appends_ = std::exchange(stream_.waiting_, {});  // never prepared: stopping
    stream_.finish_appends(appends_, chunks_, outcome);
  }

 private:
  Stream& stream_;
  PendingAppends appends_;
  std::vector<Chunk> chunks_;
  WallTime now_{};
};

Stream::Stream(Runtime& runtime, Committer& committer, Reader reader, StreamSettings settings,
               StreamMetrics metrics, StreamRow row, StreamId last_id)
    : runtime_(runtime),
      committer_(committer),
      reader_(reader),
      settings_(settings),
      metrics_(metrics),
      row_(std::move(row)),
      format_(find_event_format(row_.format)),
      next_id_(last_id.plus(1)),
      linear_position_(last_id),
      advanced_(runtime),
      key_released_(runtime),
      tail_(settings.tail_cache_bytes),
      cache_(settings.block_cache_bytes),
      stored_read_turn_(runtime) {
  POSTRIDER_ASSERT(format_ != nullptr, "stream {} has format {}", row_.name, row_.format);
}

Stream::~Stream() = default;

Async<Result<AppendReceipt>> Stream::append(std::shared_ptr<const FactBatch> facts,
                                            std::optional<IdempotencyKey> key) {
  if (!key) co_return co_await append_once(std::move(facts), std::move(key));

  // One append at a time under a key: a second one waits and then finds the first one's answer.
  const std::string name = key->key;
  while (keys_in_use_.contains(name)) co_await key_released_.wait();
  keys_in_use_.insert(name);
  Result<AppendReceipt> receipt = fail(Code::internal, "not appended");
  auto first_answer = co_await find_first_answer(&*key);
  if (!first_answer) {
    receipt = std::unexpected(std::move(first_answer).error());
  } else if (*first_answer) {
    receipt = **first_answer;
  } else {
    receipt = co_await append_once(std::move(facts), std::move(key));
  }
  keys_in_use_.erase(name);
  key_released_.notify_all();
  co_return receipt;
}

Async<Result<std::optional<AppendReceipt>>> Stream::find_first_answer(const IdempotencyKey* key) {
  auto work = [this, key] { return find_keyed_append(reader_.connection, row_.key, key->key); };
  CO_TRY(const auto found, co_await run_on(reader_.lane, work));
  if (!found || runtime_.wall_now() - found->created_at > settings_.idempotency_retain) {
    co_return std::nullopt;
  }
  if (found->body_digest != key->body_digest) {
    co_return fail(Code::idempotency_key_reused,
                   "Idempotency-Key \"{}\" was used for an append with another body; use a new key"
                   " for new facts",
                   key->key);
  }
  AppendReceipt receipt{found->first, found->last, found->fact_count, true};
  co_return receipt;
}

Async<Result<AppendReceipt>> Stream::append_once(std::shared_ptr<const FactBatch> facts,
                                                 std::optional<IdempotencyKey> key) {
  POSTRIDER_ASSERT(facts->size() > 0, "an append without facts");
  if (waiting_bytes_ > settings_.waiting_bytes_max) {
    co_return fail(Code::overloaded,
                   "{} bytes of appends wait for the disk already; try again later",
                   waiting_bytes_);
  }
  waiting_bytes_ += facts->memory_bytes();
  auto start = [this, &facts, &key](Reply<Result<AppendReceipt>> done) {
    waiting_.push_back(std::make_unique<PendingAppend>(
        PendingAppend{std::move(facts), std::move(key), {}, std::move(done)}));
    if (waiting_.size() == 1) committer_.submit(std::make_unique<AppendWrite>(*this));
  };
  co_return co_await await_reply<Result<AppendReceipt>>(runtime_.executor(), start);
}

void Stream::finish_appends(PendingAppends& appends, const std::vector<Chunk>& chunks,
                            const Result<void>& outcome) {
  if (outcome) {
    for (const Chunk& chunk : chunks) tail_.add(chunk);
    linear_position_ = chunks.back().last();
    metrics_.facts_per_commit.Observe(
        static_cast<double>(chunks.back().last().value - chunks.front().first.value + 1));
    advanced_.notify_all();
  }
  for (const auto& append : appends) {
    waiting_bytes_ -= append->facts->memory_bytes();
    if (!outcome) {
      append->done(std::unexpected(outcome.error()));
      continue;
    }
    const auto count = static_cast<std::int64_t>(append->facts->size());
    append->done(AppendReceipt{append->first, append->first.plus(count - 1), count, false});
  }
}

Async<Result<std::vector<Chunk>>> Stream::read(StreamId after, std::size_t facts_max, Keys keys) {
  CO_TRY_VOID(check_kept(after, row_.dropped_through));
  if (after >= linear_position_) co_return std::vector<Chunk>{};
  if (auto chunks = read_memory(after, facts_max, keys)) co_return *std::move(chunks);
  // Services that catch up want the same blocks: whoever waited here finds them in the cache.
  co_await stored_read_turn_.take();
  auto remembered = read_memory(after, facts_max, keys);
  Result<std::vector<Chunk>> chunks;
  if (remembered) {
    chunks = *std::move(remembered);
  } else {
    chunks = co_await read_stored(after, keys);
  }
  stored_read_turn_.give();
  co_return chunks;
}

Result<void> Stream::check_kept(StreamId after, StreamId dropped_through) const {
  if (after >= dropped_through) return {};
  return fail(Code::position_gone,
              "facts up to {} of stream \"{}\" are no longer kept; read from token s{} on",
              dropped_through, row_.name, dropped_through);
}

std::optional<std::vector<Chunk>> Stream::read_memory(StreamId after, std::size_t facts_max,
                                                      Keys keys) {
  if (const Chunk* chunk = tail_.find_after(after)) return read_tail(chunk, after, facts_max);
  if (keys == Keys::needed) return std::nullopt;
  const auto* cached = cache_.find_after(after);
  if (cached == nullptr) return std::nullopt;
  std::vector<Chunk> chunks = *cached;
  clip(chunks, after);
  return chunks;
}

std::vector<Chunk> Stream::read_tail(const Chunk* chunk, StreamId after,
                                     std::size_t facts_max) const {
  std::vector<Chunk> chunks;
  std::size_t facts = 0;
  while (chunk != nullptr && facts < facts_max) {
    chunks.push_back(*chunk);
    facts += chunk->count;
    chunk = tail_.next(chunk);
  }
  clip(chunks, after);
  return chunks;
}

Async<Result<std::vector<Chunk>>> Stream::read_stored(StreamId after, Keys keys) {
  auto work = [this, after, keys]() -> Result<std::vector<std::vector<Chunk>>> {
    TRY(const auto blocks, read_blocks(reader_.connection, row_.key, after, blocks_per_read));
    if (blocks.empty() || blocks.front().first > after.plus(1)) {
      // IDs that were given up, or facts that were dropped since this read was asked for.
      TRY(const StreamId dropped, read_dropped_through(reader_.connection, row_.key));
      TRY_VOID(check_kept(after, dropped));
    }
    std::vector<std::vector<Chunk>> unpacked;
    for (const Block& block : blocks) {
      TRY(auto chunks, unpack_block(block));
      if (keys == Keys::needed) chunks = with_keys(std::move(chunks), *format_);
      unpacked.push_back(std::move(chunks));
    }
    return unpacked;
  };
  CO_TRY(const auto unpacked, co_await run_on(reader_.lane, work));
  std::vector<Chunk> chunks;
  StreamId follows = after;
  for (const auto& block : unpacked) {
    // A block that was committed after the read began is not before the linear position yet.
    if (block.back().last() > linear_position_) break;
    if (keys == Keys::not_needed) {
      cache_.add(std::min(follows, StreamId{block.front().first.value - 1}), block);
    }
    follows = block.back().last();
    chunks.insert(chunks.end(), block.begin(), block.end());
  }
  clip(chunks, after);
  co_return chunks;
}

void Stream::clip(std::vector<Chunk>& chunks, StreamId after) const {
  std::erase_if(chunks, [after](const Chunk& chunk) { return chunk.last() <= after; });
  if (chunks.empty() || chunks.front().first > after) return;
  Chunk& front = chunks.front();
  const auto skipped = static_cast<std::uint32_t>(after.value - front.first.value + 1);
  front.first = front.first.plus(skipped);
  front.begin += skipped;
  front.count -= skipped;
}

}  // namespace postrider
