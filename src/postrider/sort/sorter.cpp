#include "postrider/sort/sorter.hpp"

#include <algorithm>

#include <prometheus/counter.h>

#include "postrider/base/log.hpp"
#include "postrider/sort/positions.hpp"
#include "postrider/store/rooms.hpp"

namespace postrider {
namespace {

// How long a full or failing disk is left alone.
constexpr Duration storage_retry_delay = std::chrono::seconds{1};

Result<void> store_room_changes(SqlConnection& connection, StreamKey stream,
                                const RoomChanges& changes) {
  for (const MembershipChange& change : changes.memberships) {
    const auto store = change.joined ? put_member : remove_member;
    TRY_VOID(store(connection, stream, change.room_id, change.user_id));
  }
  for (const AliasChange& change : changes.aliases) {
    TRY_VOID(clear_aliases(connection, stream, change.room_id, change.source));
    for (const std::string& alias : change.aliases) {
      TRY_VOID(put_alias(connection, stream, change.room_id, change.source, alias));
    }
  }
  return {};
}

}  // namespace

/// What one commit of the sorter holds.
struct Sorter::Decisions {
  StreamId through;
  std::int64_t facts = 0;
  std::int64_t entries = 0;
  std::vector<std::pair<ServiceKey, InboxBlock>> blocks;
  RoomChanges rooms;
};

Sorter::Sorter(Runtime& runtime, Commits& commits, Reader reader, Stream& stream, Inboxes& inboxes,
               SorterSettings settings, SorterMetrics metrics, StreamId sorted_through)
    : runtime_(runtime),
      commits_(commits),
      reader_(reader),
      stream_(stream),
      inboxes_(inboxes),
      settings_(std::move(settings)),
      metrics_(metrics),
      sorted_through_(sorted_through),
      gate_(runtime),
      stop_requested_(runtime) {}

void Sorter::start() {
  gate_.spawn(run(), "sorter");
}

Async<void> Sorter::stop() {
  stopping_ = true;
  stop_requested_.notify_all();
  stream_.advanced().notify_all();
  co_await gate_.drained();
}

Async<void> Sorter::run() {
  while (!stopping_) {
    if (sorted_through_ >= stream_.linear_position()) {
      co_await stream_.advanced().wait();
      continue;
    }
    const Result<void> sorted = co_await sort_next();
    if (sorted) continue;
    if (sorted.error().code == Code::stopping) co_return;
    log_error("sorting stream {}: {}", stream_.name(), sorted.error().detail);
    co_await stop_requested_.wait_until(runtime_.now() + storage_retry_delay);
  }
}

Async<Result<void>> Sorter::sort_next() {
  CO_TRY_VOID(co_await adopt_registrations());
  CO_TRY(const FactRun run,
         co_await stream_.read(sorted_through_, settings_.facts_max, Stream::Keys::needed));
  // A registration that changed during the read must see the facts that follow it.
  const bool changed = adopted_version_ != inboxes_.interest_version();
  if (changed) co_return Result<void>{};
  if (run.chunks.empty()) {
    sorted_through_ = run.through;  // IDs without facts; not worth a commit
    stream_.set_sorted_through(sorted_through_);
    co_return Result<void>{};
  }

  co_await inboxes_.inbox_mutex().lock();
  const Decisions decisions = decide_all(run.chunks);
  const StreamKey key = stream_.key();
  std::function<Result<void>(SqlConnection&)> apply =
      [&decisions, key](SqlConnection& connection) -> Result<void> {
    for (const auto& [service, block] : decisions.blocks) {
      TRY_VOID(insert_inbox_block(connection, service, block));
    }
    TRY_VOID(store_room_changes(connection, key, decisions.rooms));
    return set_sorted_through(connection, key, decisions.through);
  };
  const Result<void> committed = co_await commits_.commit(std::move(apply));
  if (committed) {
    publish(decisions);
  } else {
    adopted_version_ = 0;  // room state ran ahead of the disk; it is read anew
  }
  inboxes_.inbox_mutex().unlock();
  co_return committed;
}

void Sorter::publish(const Decisions& decisions) {
  sorted_through_ = decisions.through;
  stream_.set_sorted_through(sorted_through_);
  metrics_.facts_sorted.Increment(static_cast<double>(decisions.facts));
  metrics_.inbox_entries.Increment(static_cast<double>(decisions.entries));
  for (const auto& [service, block] : decisions.blocks) inboxes_.add_to_inbox(service, block);
}

Async<Result<void>> Sorter::adopt_registrations() {
  if (adopted_version_ == inboxes_.interest_version()) co_return Result<void>{};
  const std::uint64_t version = inboxes_.interest_version();
  auto index = std::make_unique<InterestIndex>(inboxes_.interests(), settings_.server_name);
  auto rooms = std::make_unique<RoomState>();
  const StreamKey key = stream_.key();
  auto work = [this, key, &index, &rooms]() -> Result<void> {
    TRY_VOID(read_members(reader_.connection, key,
                          [&](std::string_view room_id, std::string_view user_id) {
                            rooms->restore_member(*index, room_id, user_id);
                          }));
    return read_aliases(
        reader_.connection, key,
        [&](std::string_view room_id, std::string_view source, std::string_view alias) {
          rooms->restore_alias(*index, room_id, source, alias);
        });
  };
  CO_TRY_VOID(co_await run_on(reader_.lane, work));
  index_ = std::move(index);
  rooms_ = std::move(rooms);
  adopted_version_ = version;
  co_return Result<void>{};
}

Sorter::Decisions Sorter::decide_all(const std::vector<Chunk>& chunks) {
  Decisions decisions;
  Matches matches;
  for (const Chunk& chunk : chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      const ServiceSet services = decide(*index_, *rooms_, chunk.keys(id), decisions.rooms);
      for (const ServiceKey service : services) matches[service].push_back(id);
    }
    decisions.facts += chunk.count;
    decisions.through = chunk.last();
  }
  add_blocks(decisions, matches, chunks.front().appended_at);
  return decisions;
}

void Sorter::add_blocks(Decisions& decisions, const Matches& matches, WallTime appended_at) const {
  for (const auto& [service, positions] : matches) {
    const auto last_seq = inboxes_.last_seq(service);
    if (!last_seq) continue;  // deleted since the index was built
    const auto count = std::ssize(positions);
    decisions.entries += count;
    decisions.blocks.emplace_back(service, InboxBlock{.first_seq = last_seq->plus(1),
                                                      .last_seq = last_seq->plus(count),
                                                      .stream = stream_.key(),
                                                      .first_id = positions.front(),
                                                      .appended_at = appended_at,
                                                      .positions = pack_positions(positions)});
  }
}

}  // namespace postrider
