#include "postrider/delivery/delivery_run.hpp"

#include <algorithm>
#include <utility>

#include "postrider/base/log.hpp"
#include "postrider/delivery/unsaved_delivery.hpp"

namespace postrider {

DeliveryRun::DeliveryRun(std::shared_ptr<Service> service, TransactionSource& source,
                         Commits& commits, Quarantine& quarantine,
                         std::optional<Transaction> frozen)
    : service_(std::move(service)), source_(source), commits_(commits), quarantine_(quarantine) {
  // A run before this one may have ended because it could not save them.
  if (service_->has_unsaved()) unsaved_ = acknowledge_behind_max + 1;
  if (frozen) ready_.push_back(*std::move(frozen));
}

Async<Result<void>> DeliveryRun::make_ready(StreamKey key, StreamDelivery* stream) {
  if (!stream->cursor.frozen.empty() && ready_.empty()) {
    ahead_.reset();  // as below
    CO_TRY_VOID(co_await read_frozen(key, stream));
  }
  if (stream->cursor.frozen.empty()) co_return co_await freeze_next(key, stream);
  if (must_save()) CO_TRY_VOID(co_await save());
  co_return Result<void>{};
}

/// One that was frozen with facts that cannot be read any more may have been sent with them. Then
/// it is given up, with those after it: what is left is frozen anew, under another ID.
Async<Result<void>> DeliveryRun::read_frozen(StreamKey key, StreamDelivery* stream) {
  CO_TRY(auto transaction, co_await source_.read_frozen(service(), key, stream));
  if (transaction.unreadable.empty()) {
    ready_.push_back(std::move(transaction));
    co_return Result<void>{};
  }
  CO_TRY_VOID(co_await quarantine(key, &transaction));
  stream->cursor.frozen.clear();
  stream->revision.change();
  co_return Result<void>{};
}

/// So that an operator sees what is left out.
Async<Result<void>> DeliveryRun::quarantine(StreamKey key, const Transaction* transaction) {
  CO_TRY(const Stream* const stream, source_.find_stream(key));
  for (const UnreadableFacts& facts : transaction->unreadable) {
    CO_TRY_VOID(co_await quarantine_.add(&commits_, stream, facts, nullptr));
  }
  co_return Result<void>{};
}

/// Acknowledges what holds no fact that can be sent.
void DeliveryRun::pass_by(StreamDelivery& stream, const Transaction& transaction) {
  stream.cursor.acknowledged = transaction.last;
  stream.revision.change();
  stream.inbox.acknowledge(transaction.last, transaction.entries);
}

/// While as many are sent, those before are acknowledged on the disk and those after frozen.
std::size_t DeliveryRun::round_max() const {
  return std::max<std::size_t>(1, (service_->policy.acknowledge_behind + 1) / 2);
}

std::size_t DeliveryRun::round() const {
  return std::min(round_max(), ready_.size());
}

bool DeliveryRun::must_save() const {
  return unsaved_ > service_->policy.acknowledge_behind;
}

Transaction DeliveryRun::acknowledge(StreamDelivery& stream) {
  Transaction taken = std::move(ready_.front());
  ready_.pop_front();
  unsaved_ += 1;
  DeliveryCursor& cursor = stream.cursor;
  cursor.acknowledged = taken.last;
  cursor.frozen.erase(cursor.frozen.begin());
  cursor.delivered += std::ssize(taken.payloads);
  stream.revision.change();
  stream.inbox.acknowledge(taken.last, taken.entries);
  return taken;
}

void DeliveryRun::forget() {
  ready_.clear();
  ahead_.reset();
}

Async<Result<void>> DeliveryRun::freeze_next(StreamKey key, StreamDelivery* stream) {
  std::vector<Transaction> next;
  const StreamId acknowledged = stream->cursor.acknowledged;
  if (ahead_ && ahead_->stream == key && ahead_->after == acknowledged) {
    next.push_back(std::move(ahead_->transaction));
    ahead_.reset();
  } else {
    ahead_.reset();  // whoever may wait for memory holds none
    auto read = co_await source_.try_read_after(service(), key, stream, acknowledged);
    if (!read && read.error().code == Code::overloaded) {
      // That may take long, and what was taken by the receiver is to be on the disk meanwhile.
      if (unsaved_ > 0) CO_TRY_VOID(co_await save());
      read = co_await source_.read_after(service(), key, stream, acknowledged);
    }
    if (!read) service_->turn = key.plus(1);  // what cannot be read holds up no other stream
    CO_TRY(auto transaction, std::move(read));
    CO_TRY_VOID(co_await quarantine(key, &transaction));
    if (transaction.payloads.empty()) {
      pass_by(*stream, transaction);
      co_return Result<void>{};
    }
    next.push_back(std::move(transaction));
  }
  co_return co_await freeze(stream, std::move(next));
}

/// Those that were frozen before may be acknowledged meanwhile.
Async<Result<void>> DeliveryRun::freeze(StreamDelivery* stream,
                                        std::vector<Transaction> transactions) {
  const std::size_t count = transactions.size();
  DeliveryCursor& cursor = stream->cursor;
  const TransactionNumber before = cursor.transaction;
  cursor.transaction = service_->last_transaction().plus(std::ssize(transactions));
  for (const Transaction& each : transactions) cursor.frozen.push_back(each.last);
  stream->revision.change();
  const Result<void> saved = co_await save();
  if (!saved) {
    // Nothing was sent under these numbers, and nothing of it is on disk.
    cursor.transaction = before;
    cursor.frozen.resize(cursor.frozen.size() - count);
    stream->revision.change();  // another save may have written it
    co_return std::unexpected(saved.error());
  }
  for (Transaction& each : transactions) ready_.push_back(std::move(each));
  co_return Result<void>{};
}

Async<Result<void>> DeliveryRun::save() {
  const std::size_t covered = unsaved_;
  CO_TRY_VOID(co_await save_delivery(commits_, service()));
  unsaved_ -= covered;
  co_return Result<void>{};
}

std::int64_t DeliveryRun::facts_ready() const {
  std::int64_t facts = 0;
  for (const Transaction& each : ready_) facts += each.entries;
  return facts;
}

bool DeliveryRun::wants_ahead(StreamKey key) const {
  // One that is DOWN is probed first. More may be ready than a round after its policy has changed.
  if (!service_->is_active() || ready_.size() > round_max()) return false;
  const auto next = service_->stream_after(key);
  if (next == service_->streams.end()) return false;
  const StreamDelivery& stream = next->second;
  // After a restart more may be frozen than was read.
  if (ready_.size() < stream.cursor.frozen.size()) return false;
  const std::int64_t ready = next->first == key ? facts_ready() : 0;
  return std::cmp_greater_equal(stream.inbox.behind() - ready, service_->limits().facts_max);
}

Async<void> DeliveryRun::prepare_ahead(StreamKey key) {
  if (!wants_ahead(key)) co_return;  // not any more
  const auto next = service_->stream_after(key);
  StreamDelivery* const stream = &next->second;
  // Streams take turns: none is frozen far ahead while another one waits.
  const bool is_alone = next->first == key;
  if (is_alone && service_->policy.acknowledge_behind > 0) {
    co_return co_await freeze_ahead(key, stream);
  }
  co_await read_ahead(next->first, stream);
}

Async<void> DeliveryRun::read_ahead(StreamKey key, StreamDelivery* stream) {
  const DeliveryCursor& cursor = stream->cursor;
  const StreamId after = cursor.frozen.empty() ? cursor.acknowledged : cursor.frozen.back();
  auto read = co_await source_.try_read_after(service(), key, stream, after);
  const bool is_whole = read && read->unreadable.empty();
  if (is_whole) ahead_ = Ahead{.stream = key, .after = after, .transaction = *std::move(read)};
}

Async<void> DeliveryRun::freeze_ahead(StreamKey key, StreamDelivery* stream) {
  const std::size_t bytes_max = service_->policy.limits.bytes_max;
  std::vector<Transaction> next;
  StreamId after = stream->cursor.frozen.back();
  std::size_t bytes = 0;  // of whole batches, of which a transaction may want one fact each
  std::int64_t facts = 0;
  while (next.size() < round_max() && bytes < bytes_max) {
    const std::int64_t waiting = stream->inbox.behind() - facts_ready() - facts;
    if (std::cmp_less(waiting, service_->limits().facts_max)) break;
    auto read = co_await source_.try_read_after(service(), key, stream, after);
    if (!read || !read->unreadable.empty()) break;
    after = read->last;
    facts += read->entries;
    for (const auto& batch : read->batches) bytes += batch->memory_bytes();
    next.push_back(*std::move(read));
  }
  if (next.empty()) co_return;
  const Result<void> frozen = co_await freeze(stream, std::move(next));
  if (!frozen) log_warn("service {}: {}", service_->row.id, frozen.error().detail);
}

}  // namespace postrider
