#include "postrider/delivery/transaction.hpp"

namespace postrider {
namespace {

class TransactionReader {
 public:
  TransactionReader(std::vector<InboxEntry> entries, const TransactionLimits& limits)
      : entries_(std::move(entries)), limits_(limits) {}

  [[nodiscard]] bool is_done() const {
    return is_full_ || next_ == entries_.size() || next_ == limits_.facts_max;
  }
  [[nodiscard]] const InboxEntry& next() const { return entries_[next_]; }
  [[nodiscard]] std::size_t left() const { return entries_.size() - next_; }

  [[nodiscard]] bool must_end_before(const InboxEntry& entry) const {
    return limits_.one_stream && next_ > 0 && entry.stream != entries_[next_ - 1].stream;
  }

  void begin_at(const InboxEntry& entry, const std::string& stream) {
    if (next_ > 0) return;
    transaction_.stream = stream;
    transaction_.first_id = entry.id;
  }

  /// Adds the facts that `chunk`, of `stream`, holds for the next entries.
  void add(StreamKey stream, const Chunk& chunk) {
    const std::size_t before = next_;
    while (!is_done() && next().stream == stream && next().id >= chunk.first &&
           next().id <= chunk.last()) {
      const std::string_view payload = chunk.payload(next().id);
      if (next_ > 0 && payload_bytes_ + payload.size() > limits_.bytes_max) {
        is_full_ = true;
        break;
      }
      payload_bytes_ += payload.size();
      transaction_.payloads.push_back(payload);
      transaction_.appended_at.push_back(chunk.appended_at);
      transaction_.last = next().seq;
      transaction_.last_id = next().id;
      ++next_;
    }
    if (next_ > before) transaction_.batches.push_back(chunk.batch);
  }

  Transaction finish() && { return std::move(transaction_); }

 private:
  std::vector<InboxEntry> entries_;
  TransactionLimits limits_;
  std::size_t next_ = 0;
  std::size_t payload_bytes_ = 0;
  bool is_full_ = false;
  Transaction transaction_;
};

}  // namespace

Async<Result<Transaction>> read_transaction(const Streams& streams, std::vector<InboxEntry> entries,
                                            TransactionLimits limits) {
  TransactionReader reader(std::move(entries), limits);
  while (!reader.is_done()) {
    const InboxEntry wanted = reader.next();
    if (reader.must_end_before(wanted)) break;
    Stream* stream = streams.find(wanted.stream);
    if (stream == nullptr) co_return fail(Code::storage_failed, "no stream {}", wanted.stream);
    reader.begin_at(wanted, stream->name());
    const StreamId before{wanted.id.value - 1};
    CO_TRY(const FactRun run,
           co_await stream->read(before, reader.left(), Stream::WithAttributes::no));
    for (const Chunk& chunk : run.chunks) reader.add(wanted.stream, chunk);
    if (!reader.is_done() && reader.next().seq == wanted.seq) {
      co_return fail(Code::storage_failed, "fact {} of stream \"{}\" is missing", wanted.id,
                     stream->name());
    }
  }
  co_return std::move(reader).finish();
}

}  // namespace postrider
