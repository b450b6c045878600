#include "postrider/delivery/inbox_reader.hpp"

#include <algorithm>

#include "postrider/sort/positions.hpp"
#include "postrider/store/decisions.hpp"
#include "postrider/store/inbox.hpp"

namespace postrider {
namespace {

// Of up to a thousand positions each.
constexpr std::int64_t blocks_per_read = 8;

struct Blocks {
  StreamId compacted_through;
  std::vector<InboxBlock> blocks;
};

/// In this order: what is folded in between is in the blocks too.
Result<Blocks> read_from(SqlConnection& connection, ServiceKey service, StreamKey stream,
                         StreamId after) {
  Blocks read;
  TRY(read.compacted_through, read_compacted_through(connection, stream));
  TRY(read.blocks, read_inbox_blocks(connection, service, stream, after, blocks_per_read));
  return read;
}

}  // namespace

Async<Result<void>> InboxReader::read(const Service* service, StreamKey stream, Inbox* inbox,
                                      std::size_t count_max) {
  const ServiceKey key = service->row.key;
  while (inbox->needs_more(count_max)) CO_TRY_VOID(co_await read_more(key, stream, inbox));
  co_return Result<void>{};
}

Async<Result<void>> InboxReader::read_through(const Service* service, StreamKey stream,
                                              Inbox* inbox, StreamId through) {
  const ServiceKey key = service->row.key;
  while (inbox->needs_more_through(through)) CO_TRY_VOID(co_await read_more(key, stream, inbox));
  co_return Result<void>{};
}

Async<Result<void>> InboxReader::read_more(ServiceKey service, StreamKey stream, Inbox* inbox) {
  const bool is_in_blocks = inbox->known_through() < tails_.of(stream).begin();
  if (is_in_blocks) co_return co_await read_blocks(service, stream, inbox);
  co_return read_tail(service, stream, *inbox);
}

Async<Result<void>> InboxReader::read_blocks(ServiceKey service, StreamKey stream, Inbox* inbox) {
  const StreamId after = inbox->known_through();
  auto work = [this, service, stream, after] {
    return read_from(reader_.connection, service, stream, after);
  };
  CO_TRY(const auto read, co_await run_on(reader_.lane, work));
  for (const InboxBlock& block : read.blocks) {
    CO_TRY(const auto positions, positions_in(block));
    if (block.last > tails_.of(stream).end()) {
      // By damage, or because another process, which has ended this one's session, sorts now.
      co_return fail(Code::storage_failed,
                     "an inbox block of service {} ends at fact {} of stream {}, which is decided"
                     " through {}",
                     service, block.last, stream, tails_.of(stream).end());
    }
    inbox->extend(positions, block.appended_at);
  }
  const bool are_all = std::ssize(read.blocks) < blocks_per_read;
  if (are_all) inbox->set_known_through(read.compacted_through);
  if (inbox->known_through() > after) co_return Result<void>{};
  co_return fail(Code::storage_failed,
                 "the inbox of service {} ends at fact {} of stream {}, and"
                 " facts are missing",
                 service, after, stream);
}

Result<void> InboxReader::read_tail(ServiceKey service, StreamKey stream, Inbox& inbox) {
  const auto add = [&inbox](const std::vector<StreamId>& positions, WallTime appended_at) {
    inbox.extend(positions, appended_at);
    return inbox.has_room();
  };
  TRY(const bool is_all, tails_.of(stream).visit(service, inbox.known_through(), add));
  if (!is_all) return {};
  if (!inbox.is_missing_some()) {
    inbox.set_complete();
    return {};
  }
  return fail(Code::storage_failed,
              "{} facts are to be delivered of stream {} to service {}, and decisions name less",
              inbox.behind(), stream, service);
}

}  // namespace postrider
