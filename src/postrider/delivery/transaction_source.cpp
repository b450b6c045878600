#include "postrider/delivery/transaction_source.hpp"

#include <limits>
#include <utility>

namespace postrider {
namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

}  // namespace

Async<Result<Transaction>> TransactionSource::read_frozen(const Service* service, StreamKey key,
                                                          StreamDelivery* stream) {
  const StreamId through = stream->cursor.frozen.front();
  Inbox& inbox = stream->inbox;
  CO_TRY_VOID(co_await inboxes_.read_through(service, key, &inbox, through));
  CO_TRY(Stream* const facts, find_stream(key));
  std::vector<StreamId> positions = inbox.slice_through(through);
  if (positions.empty() || positions.back() != through) {
    // Another process, which has ended this one's session, may have delivered it meanwhile.
    co_return fail(Code::storage_failed,
                   "a transaction is frozen through fact {} of stream {}, which is not in the inbox"
                   " any more",
                   through, key);
  }
  const TransactionLimits all{.facts_max = no_limit, .bytes_max = no_limit};
  co_return co_await read_transaction(*facts, std::move(positions), all);
}

Async<Result<Transaction>> TransactionSource::read_after(const Service* service, StreamKey key,
                                                         StreamDelivery* stream, StreamId after) {
  const TransactionLimits limits = service->limits();
  Inbox& inbox = stream->inbox;
  CO_TRY_VOID(co_await inboxes_.read_through(service, key, &inbox, after));
  const std::size_t wanted = inbox.count_through(after) + limits.facts_max;
  CO_TRY_VOID(co_await inboxes_.read(service, key, &inbox, wanted));
  CO_TRY(Stream* const facts, find_stream(key));
  std::vector<StreamId> positions = inbox.slice_after(after, limits.facts_max);
  co_return co_await read_transaction(*facts, std::move(positions), limits);
}

Result<Stream*> TransactionSource::find_stream(StreamKey key) const {
  Stream* const stream = streams_.find(key);
  if (stream == nullptr) return fail(Code::storage_failed, "this process has no stream {}", key);
  return stream;
}

}  // namespace postrider
