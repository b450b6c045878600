#include "postrider/delivery/transaction_source.hpp"

#include <limits>
#include <utility>

namespace postrider {
namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

TransactionBudget::Receiver receiver_of(const Service& service) {
  const bool is_down = service.delivery.status == DeliveryStatus::down;
  return is_down ? TransactionBudget::Receiver::down : TransactionBudget::Receiver::healthy;
}

}  // namespace

Async<Result<Transaction>> TransactionSource::read_frozen(const Service* service, StreamKey key,
                                                          StreamDelivery* stream) {
  return read_when_it_fits({service, key, stream, std::nullopt});
}

Async<Result<Transaction>> TransactionSource::read_after(const Service* service, StreamKey key,
                                                         StreamDelivery* stream, StreamId after) {
  return read_when_it_fits({service, key, stream, after});
}

Async<Result<Transaction>> TransactionSource::try_read_after(const Service* service, StreamKey key,
                                                             StreamDelivery* stream,
                                                             StreamId after) {
  const Slice slice{service, key, stream, after};
  CO_TRY(auto transaction, co_await read_in_turn(&slice));
  auto share = budget_.take(transaction.batches, receiver_of(*service));
  if (!share) co_return fail(Code::overloaded, "transactions in flight hold all the memory");
  transaction.memory = *std::move(share);
  co_return std::move(transaction);
}

Async<Result<Transaction>> TransactionSource::read_when_it_fits(Slice slice) {
  CO_TRY(auto transaction, co_await read_in_turn(&slice));
  auto share = budget_.take(transaction.batches, receiver_of(*slice.service));
  // It may be more each time: facts come, and others let go of what they shared.
  while (!share) {
    const std::size_t bytes = budget_.bytes_of(transaction.batches);
    transaction = Transaction();
    CO_TRY(auto waited, co_await budget_.wait(bytes, receiver_of(*slice.service)));
    CO_TRY(transaction, co_await read_in_turn(&slice));
    share = budget_.exchange(std::move(waited), transaction.batches);
  }
  transaction.memory = *std::move(share);
  co_return std::move(transaction);
}

Async<Result<Transaction>> TransactionSource::read_in_turn(const Slice* slice) {
  co_await reads_.acquire();
  auto transaction = co_await read(slice);
  reads_.release();
  co_return std::move(transaction);
}

Async<Result<Transaction>> TransactionSource::read(const Slice* slice) {
  TransactionLimits limits = slice->service->limits();
  if (!slice->after) limits = {.facts_max = no_limit, .bytes_max = no_limit};
  std::vector<StreamId> positions;
  if (slice->after) {
    CO_TRY(positions, co_await next_positions(slice));
  } else {
    CO_TRY(positions, co_await frozen_positions(slice));
  }
  CO_TRY(Stream* const facts, find_stream(slice->key));
  co_return co_await read_transaction(*facts, std::move(positions), limits);
}

Async<Result<std::vector<StreamId>>> TransactionSource::frozen_positions(const Slice* slice) {
  const StreamId through = slice->stream->cursor.frozen.front();
  Inbox& inbox = slice->stream->inbox;
  CO_TRY_VOID(co_await inboxes_.read_through(slice->service, slice->key, &inbox, through));
  std::vector<StreamId> positions = inbox.slice_through(through);
  if (positions.empty() || positions.back() != through) {
    // Another process, which has ended this one's session, may have delivered it meanwhile.
    co_return fail(Code::storage_failed,
                   "a transaction is frozen through fact {} of stream {}, which is not in the inbox"
                   " any more",
                   through, slice->key);
  }
  co_return std::move(positions);
}

Async<Result<std::vector<StreamId>>> TransactionSource::next_positions(const Slice* slice) {
  const std::size_t facts_max = slice->service->limits().facts_max;
  Inbox& inbox = slice->stream->inbox;
  const StreamId after = *slice->after;
  CO_TRY_VOID(co_await inboxes_.read_through(slice->service, slice->key, &inbox, after));
  const std::size_t wanted = inbox.count_through(after) + facts_max;
  CO_TRY_VOID(co_await inboxes_.read(slice->service, slice->key, &inbox, wanted));
  co_return inbox.slice_after(after, facts_max);
}

Result<Stream*> TransactionSource::find_stream(StreamKey key) const {
  Stream* const stream = streams_.find(key);
  if (stream == nullptr) return fail(Code::storage_failed, "this process has no stream {}", key);
  return stream;
}

}  // namespace postrider
