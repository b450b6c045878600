#include "postrider/delivery/transaction.hpp"

#include <algorithm>

namespace postrider {
namespace {

class TransactionReader {
 public:
  TransactionReader(const std::string& stream, std::vector<StreamId> positions,
                    const TransactionLimits& limits)
      : positions_(std::move(positions)), limits_(limits) {
    transaction_.stream = stream;
    transaction_.first = positions_.front();
  }

  [[nodiscard]] bool is_done() const {
    return is_full_ || next_ == positions_.size() || next_ == limits_.facts_max;
  }
  [[nodiscard]] StreamId next() const { return positions_[next_]; }
  [[nodiscard]] std::size_t left() const { return positions_.size() - next_; }

  /// Adds the facts that `chunk` holds at the next positions.
  void add(const Chunk& chunk) {
    const std::size_t before = next_;
    while (!is_done() && next() >= chunk.first && next() <= chunk.last()) {
      const std::string_view payload = chunk.payload(next());
      if (next_ > 0 && payload_bytes_ + payload.size() > limits_.bytes_max) {
        is_full_ = true;
        break;
      }
      payload_bytes_ += payload.size();
      transaction_.payloads.push_back(payload);
      transaction_.appended_at.push_back(chunk.appended_at);
      pass();
    }
    if (next_ > before) transaction_.batches.push_back(chunk.batch);
  }

  /// Ends before `facts`, or, when there is no fact yet, after those of them that are next. What is
  /// frozen must be readable as a whole, or each retry would find it damaged and take a new ID.
  void end_at(const UnreadableFacts& facts) {
    const bool holds_next = next() >= facts.ids.first && next() <= facts.ids.last;
    if (!holds_next) return;
    transaction_.unreadable.push_back(facts);
    while (transaction_.payloads.empty() && !is_done() && next() <= facts.ids.last) pass();
    is_full_ = true;
  }

  Transaction finish() && { return std::move(transaction_); }

 private:
  void pass() {
    transaction_.last = next();
    transaction_.entries += 1;
    ++next_;
  }

  std::vector<StreamId> positions_;
  TransactionLimits limits_;
  std::size_t next_ = 0;
  std::size_t payload_bytes_ = 0;
  bool is_full_ = false;
  Transaction transaction_;
};

}  // namespace

Async<Result<Transaction>> read_transaction(Stream& stream, std::vector<StreamId> positions,
                                            TransactionLimits limits) {
  TransactionReader reader(stream.name(), std::move(positions), limits);
  while (!reader.is_done()) {
    const StreamId wanted = reader.next();
    const StreamId before{wanted.value - 1};
    CO_TRY(const FactRun run,
           co_await stream.read(before, reader.left(), Stream::WithAttributes::no));
    for (const Chunk& chunk : run.chunks) reader.add(chunk);
    if (run.unreadable && !reader.is_done()) {
      UnreadableFacts facts = *run.unreadable;
      // Its first ID may be what is wrong: no other block holds what is wanted.
      if (reader.next() == wanted) facts.ids.first = std::min(facts.ids.first, wanted);
      reader.end_at(facts);
    }
    if (!reader.is_done() && reader.next() == wanted) {
      co_return fail(Code::storage_failed, "fact {} of stream \"{}\" is missing", wanted,
                     stream.name());
    }
  }
  co_return std::move(reader).finish();
}

Transaction take_transaction(const std::string& stream, std::vector<StreamId> positions,
                             std::span<const Chunk> chunks, const TransactionLimits& limits) {
  TransactionReader reader(stream, std::move(positions), limits);
  for (const Chunk& chunk : chunks) {
    if (reader.is_done()) break;
    reader.add(chunk);
  }
  return std::move(reader).finish();
}

}  // namespace postrider
