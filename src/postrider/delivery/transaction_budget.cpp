#include "postrider/delivery/transaction_budget.hpp"

#include <algorithm>
#include <utility>

#include "postrider/base/log.hpp"

namespace postrider {
namespace {

/// Up to here a transaction is small, unless the whole budget is.
constexpr std::size_t small_bytes_max = 64U << 10;

enum PartIndex : std::size_t { small, large, to_those_down };

}  // namespace

TransactionBudget::Share::~Share() {
  if (const auto budget = budget_.lock()) (*budget)->give_back(*this);
}

void TransactionBudget::Share::swap(Share& other) noexcept {
  budget_.swap(other.budget_);
  batches_.swap(other.batches_);
  std::swap(bytes_, other.bytes_);
  std::swap(part_, other.part_);
}

TransactionBudget::TransactionBudget(Runtime& runtime, std::size_t bytes_max)
    : runtime_(runtime),
      small_bytes_max_(std::min(small_bytes_max, bytes_max / 16)),
      self_(std::make_shared<TransactionBudget*>(this)) {
  parts_[small].bytes_max = bytes_max / 4;
  parts_[large].bytes_max = bytes_max / 2;
  parts_[to_those_down].bytes_max = bytes_max / 4;
}

std::size_t TransactionBudget::part_of(std::size_t bytes, Receiver receiver) const {
  if (bytes <= small_bytes_max_) return small;
  return receiver == Receiver::down ? to_those_down : large;
}

std::size_t TransactionBudget::bytes_of(Batches batches) const {
  std::size_t bytes = 0;
  const FactBatch* before = nullptr;
  for (const auto& batch : batches) {
    const bool counts = batch.get() != before && !holders_.contains(batch.get());
    if (counts) bytes += batch->memory_bytes();
    before = batch.get();
  }
  return bytes;
}

std::optional<TransactionBudget::Share> TransactionBudget::take(Batches batches,
                                                                Receiver receiver) {
  const std::size_t bytes = bytes_of(batches);
  const std::size_t part = part_of(bytes, receiver);
  const bool is_next = bytes == 0 || parts_[part].waiting.empty();
  if (!is_next || !parts_[part].fits(bytes)) return std::nullopt;
  return share_of(batches, part);
}

TransactionBudget::Share TransactionBudget::share_of(Batches batches, std::size_t part) {
  Share share(self_);
  share.part_ = part;
  share.batches_.assign(batches.begin(), batches.end());
  for (const auto& batch : batches) {
    Holders& holders = holders_[batch.get()];
    if (holders.shares++ == 0) {
      holders.bytes = batch->memory_bytes();
      holders.part = part;
      parts_[part].held += holders.bytes;
    }
  }
  return share;
}

void TransactionBudget::give_back(const Share& share) {
  parts_[share.part_].held -= share.bytes_;
  for (const auto& batch : share.batches_) {
    const auto holders = holders_.find(batch.get());
    if (--holders->second.shares > 0) continue;
    parts_[holders->second.part].held -= holders->second.bytes;
    holders_.erase(holders);
  }
  for (Part& part : parts_) wake(part);
}

void TransactionBudget::wake(Part& part) {
  while (!part.waiting.empty() && part.fits(part.waiting.front().bytes)) {
    Waiter& next = part.waiting.front();
    next.granted = true;
    part.held += next.bytes;
    ended_.splice(ended_.end(), part.waiting, part.waiting.begin());
    next.ended.notify_all();
  }
}

Async<Result<TransactionBudget::Share>> TransactionBudget::wait(std::size_t bytes,
                                                                Receiver receiver) {
  if (stopping_) co_return fail(Code::stopping, "the server is stopping");
  warn();
  const std::size_t part = part_of(bytes, receiver);
  std::list<Waiter>& waiting = parts_[part].waiting;
  const auto waiter = waiting.emplace(waiting.end(), runtime_, bytes);
  wake(parts_[part]);  // it may fit by now
  if (!waiter->granted) co_await waiter->ended.wait();
  const bool granted = waiter->granted;
  ended_.erase(waiter);
  if (!granted) co_return fail(Code::stopping, "the server is stopping");
  Share share(self_);
  share.part_ = part;
  share.bytes_ = bytes;
  co_return std::move(share);
}

std::optional<TransactionBudget::Share> TransactionBudget::exchange(Share waited, Batches batches) {
  const std::size_t bytes = bytes_of(batches);
  const bool is_more = bytes > waited.bytes_;
  if (is_more && !parts_[waited.part_].fits(bytes - waited.bytes_)) return std::nullopt;
  return share_of(batches, waited.part_);
}

void TransactionBudget::request_stop() {
  stopping_ = true;
  for (Part& part : parts_) {
    for (Waiter& waiter : part.waiting) waiter.ended.notify_all();
    ended_.splice(ended_.end(), part.waiting);
  }
}

/// Once a minute at most.
void TransactionBudget::warn() {
  const MonoTime now = runtime_.now();
  if (warned_at_ > MonoTime::min() && now - warned_at_ < std::chrono::minutes{1}) return;
  warned_at_ = now;
  log_warn(
      "transactions wait for memory: those on their way to receivers hold {} bytes; raise "
      "delivery.in_flight_bytes_max, or lower delivery.request_timeout so that receivers that hang "
      "hold theirs for less time",
      held_bytes());
}

std::size_t TransactionBudget::held_bytes() const {
  std::size_t bytes = 0;
  for (const Part& part : parts_) bytes += part.held;
  return bytes;
}

std::size_t TransactionBudget::waiting() const {
  std::size_t count = 0;
  for (const Part& part : parts_) count += part.waiting.size();
  return count;
}

}  // namespace postrider
