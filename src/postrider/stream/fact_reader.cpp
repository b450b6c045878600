#include "postrider/stream/fact_reader.hpp"

#include <algorithm>
#include <utility>

#include "postrider/stream/block.hpp"
#include "postrider/stream/fact_parser.hpp"

namespace postrider {
namespace {

// Blocks hold up to 1 MiB; a read takes a few, so that a cold reader does not pay a hop for each,
// and many when they are as small as single facts are.
constexpr std::int64_t blocks_min = 4;
constexpr std::int64_t blocks_max = 256;
constexpr std::int64_t read_bytes_max = 4 << 20;

/// Leaves what lies after `after` and at or before `through`.
void clip(std::vector<Chunk>& chunks, StreamId after, StreamId through) {
  for (Chunk& chunk : chunks) {
    if (chunk.first <= after || chunk.last() > through) chunk = chunk.part(after, through);
  }
  std::erase_if(chunks, [](const Chunk& chunk) { return chunk.count == 0; });
}

}  // namespace

Error unreadable_error(const std::string& stream, const UnreadableFacts& facts) {
  return {
      Code::facts_unreadable,
      fmt::format("facts {} to {} of stream \"{}\" cannot be read: {}; read from token s{} on, and"
                  " see `postrider quarantine list`",
                  facts.ids.first, facts.ids.last, stream, facts.cause, facts.ids.last)};
}

FactReader::FactReader(Runtime& runtime, Reader reader, const StreamRow& row,
                       const StreamFormat& format, Budgets budgets, StreamId position)
    : reader_(reader),
      stream_(row.key),
      name_(row.name),
      format_(format),
      dropped_through_(row.dropped_through),
      tail_(budgets.tail, position),
      cache_(budgets.blocks),
      stored_read_mutex_(runtime) {}

void FactReader::add(Chunk chunk) {
  const StreamId last = chunk.last();
  const Chunk left = chunk.part(tail_.end(), last);
  if (left.count == 0) return;
  if (left.count == chunk.count) return tail_.add(std::move(chunk));
  tail_.invalidate_through(last);
}

Async<Result<FactRun>> FactReader::read(StreamId after, StreamId linear, std::size_t facts_max,
                                        WithAttributes with) {
  CO_TRY_VOID(check_kept(after, dropped_through_));
  if (after >= linear) co_return FactRun({}, after);
  if (auto run = read_memory(after, linear, facts_max, with)) co_return *std::move(run);
  // Services that catch up want the same blocks: those that waited here find them in the cache.
  co_await stored_read_mutex_.lock();
  auto remembered = read_memory(after, linear, facts_max, with);
  Result<FactRun> run;
  if (remembered) {
    run = *std::move(remembered);
  } else {
    run = co_await read_stored(after, linear, facts_max, with);
  }
  stored_read_mutex_.unlock();
  co_return run;
}

Result<void> FactReader::check_kept(StreamId after, StreamId dropped_through) const {
  if (after >= dropped_through) return {};
  return fail(Code::position_gone,
              "facts up to {} of stream \"{}\" are no longer kept; read from token s{} on",
              dropped_through, name_, dropped_through);
}

std::optional<FactRun> FactReader::read_memory(StreamId after, StreamId linear,
                                               std::size_t facts_max, WithAttributes with) {
  if (tail_.reaches(after)) {
    FactRun run = read_tail(after, linear, facts_max);
    const auto has_attributes = [](const Chunk& chunk) { return chunk.batch->has_attributes(); };
    if (with == WithAttributes::no || std::ranges::all_of(run.chunks, has_attributes)) return run;
  }
  if (with == WithAttributes::yes) return std::nullopt;
  return read_cache(after, linear, facts_max);
}

std::optional<FactRun> FactReader::read_cache(StreamId after, StreamId linear,
                                              std::size_t facts_max) {
  FactRun run{{}, after};
  std::size_t facts = 0;
  while (facts < facts_max && run.through < linear) {
    const auto* cached = cache_.find_after(run.through);
    if (cached == nullptr) break;
    for (const Chunk& chunk : *cached) facts += chunk.count;
    run.through = std::min(linear, cached->back().last());
    run.chunks.insert(run.chunks.end(), cached->begin(), cached->end());
  }
  if (run.chunks.empty()) return std::nullopt;
  clip(run.chunks, after, linear);
  return run;
}

FactRun FactReader::read_tail(StreamId after, StreamId linear, std::size_t facts_max) const {
  FactRun run;
  std::size_t facts = 0;
  const Chunk* chunk = tail_.find_after(after);
  while (chunk != nullptr && facts < facts_max) {
    run.chunks.push_back(*chunk);
    facts += chunk->count;
    chunk = tail_.next(chunk);
  }
  run.through = chunk == nullptr ? linear : std::min(linear, run.chunks.back().last());
  clip(run.chunks, after, linear);
  return run;
}

/// On the lane.
Result<FactReader::StoredBlocks> FactReader::read_next(StreamId after, std::size_t facts_max,
                                                       WithAttributes with) const {
  StoredBlocks stored;
  std::int64_t facts = 0;
  std::int64_t bytes = 0;
  std::int64_t wanted = blocks_min;
  const auto is_enough = [&] {
    return std::cmp_greater_equal(facts, facts_max) || bytes >= read_bytes_max;
  };
  for (StreamId at = after; !stored.is_end && !is_enough();) {
    TRY(const auto blocks, read_blocks(reader_.connection, stream_, at, wanted));
    if (at == after && (blocks.empty() || blocks.front().first > after.plus(1))) {
      // IDs that were given up, or facts that were dropped since this read was asked for.
      TRY(stored.dropped_through, read_dropped_through(reader_.connection, stream_));
    }
    stored.is_end = std::ssize(blocks) < wanted;
    for (const Block& block : blocks) {
      TRY(const bool is_whole, add_block(block, at, with, stored));
      if (!is_whole) {
        stored.is_end = false;
        return stored;
      }
      facts += block.fact_count;
      bytes += block.raw_bytes;
      at = block.last;
    }
    wanted = std::clamp(read_bytes_max / std::max<std::int64_t>(1, bytes / wanted), blocks_min,
                        std::min(4 * wanted, blocks_max));
  }
  return stored;
}

/// All of a block that is damaged is named, wherever a reader comes to it: its entry in quarantine
/// is one.
Result<UnreadableFacts> FactReader::damaged(const Block& block, const Error& error) const {
  // Its first ID may be what is wrong: blocks do not overlap.
  TRY(const StreamId before, last_stored_before(reader_.connection, stream_, block.last));
  const bool is_between = block.first > before && block.first <= block.last;
  return UnreadableFacts{{is_between ? block.first : before.plus(1), block.last}, error.detail};
}

Result<bool> FactReader::add_block(const Block& block, StreamId after, WithAttributes with,
                                   StoredBlocks& stored) const {
  auto chunks = unpack_block(block);
  if (!chunks) {
    TRY(stored.unreadable, damaged(block, chunks.error()));
    return false;
  }
  if (with == WithAttributes::yes) {
    // What lies before may be what was passed by.
    clip(*chunks, after, block.last);
    AttributedFacts facts = with_attributes(*std::move(chunks), format_);
    chunks = std::move(facts.chunks);
    stored.unreadable = std::move(facts.unreadable);
  }
  if (!chunks->empty()) stored.blocks.push_back(*std::move(chunks));
  return !stored.unreadable;
}

Async<Result<FactRun>> FactReader::read_stored(StreamId after, StreamId linear,
                                               std::size_t facts_max, WithAttributes with) {
  auto work = [this, after, facts_max, with] { return read_next(after, facts_max, with); };
  CO_TRY(const StoredBlocks stored, co_await run_on(reader_.lane, work));
  set_dropped_through(stored.dropped_through);
  CO_TRY_VOID(check_kept(after, stored.dropped_through));
  FactRun run;
  run.through = stored.is_end ? linear : after;
  StreamId follows = after;
  for (const auto& block : stored.blocks) {
    const StreamId last = block.back().last();
    // What is committed and ahead of the linear position is not in order yet.
    const bool is_in_order = last <= linear;
    if (is_in_order && with == WithAttributes::no) {
      cache_.add(std::min(follows, block.front().first.plus(-1)), block);
    }
    follows = last;
    run.through = std::min(std::max(run.through, last), linear);
    run.chunks.insert(run.chunks.end(), block.begin(), block.end());
    if (!is_in_order) break;
  }
  if (stored.unreadable && stored.unreadable->ids.first <= linear) {
    run.through = std::max(after, stored.unreadable->ids.first.plus(-1));
    run.unreadable = stored.unreadable;
  } else if (stored.unreadable) {
    run.through = linear;
  }
  clip(run.chunks, after, linear);
  co_return run;
}

Async<Result<FactReader::Page>> FactReader::read_between(PositionVector after, PositionVector upto,
                                                         std::size_t facts_max) {
  CO_TRY_VOID(check_kept(after.minimum(), dropped_through_));
  StreamId at = after.minimum();
  Page page;
  while (page.chunks.empty() && at < upto.maximum()) {
    auto work = [this, at, facts_max] { return read_next(at, facts_max, WithAttributes::no); };
    CO_TRY(const StoredBlocks stored, co_await run_on(reader_.lane, work));
    set_dropped_through(stored.dropped_through);
    CO_TRY_VOID(check_kept(at, stored.dropped_through));
    for (const auto& block : stored.blocks) {
      for (const Chunk& chunk : block) {
        const Chunk part = chunk.part(after.of(chunk.writer), upto.of(chunk.writer));
        if (part.count > 0) page.chunks.push_back(part);
      }
      at = block.back().last();
    }
    const bool is_wanted = stored.unreadable && stored.unreadable->ids.first <= upto.maximum();
    if (is_wanted) {
      page.unreadable = stored.unreadable;
      break;
    }
    if (stored.is_end || stored.unreadable) at = upto.maximum();
  }
  page.through = after.joined(upto.clipped(at));
  co_return page;
}

}  // namespace postrider
