#include "postrider/delivery/transaction.hpp"

#include "postrider/delivery/matrix/transaction_body.hpp"

namespace postrider {
namespace {

class Composer {
 public:
  Composer(std::vector<InboxEntry> entries, std::size_t bytes_max)
      : entries_(std::move(entries)), bytes_max_(bytes_max) {}

  [[nodiscard]] bool done() const { return full_ || next_ == entries_.size(); }
  [[nodiscard]] const InboxEntry& next() const { return entries_[next_]; }
  [[nodiscard]] std::size_t left() const { return entries_.size() - next_; }

  /// Takes the facts that `chunk`, of `stream`, holds for the next entries.
  void take(StreamKey stream, const Chunk& chunk) {
    while (!done() && next().stream == stream && next().id >= chunk.first &&
           next().id <= chunk.last()) {
      const std::string_view payload = chunk.payload(next().id);
      if (next_ > 0 && body_.payload_bytes() + payload.size() > bytes_max_) {
        full_ = true;
        return;
      }
      body_.add(payload);
      transaction_.appended_at.push_back(chunk.appended_at);
      transaction_.last = next().seq;
      ++next_;
    }
  }

  Transaction finish() && {
    transaction_.body = std::make_shared<const std::string>(std::move(body_).finish());
    return std::move(transaction_);
  }

 private:
  std::vector<InboxEntry> entries_;
  std::size_t bytes_max_;
  std::size_t next_ = 0;
  bool full_ = false;
  MatrixTransactionBody body_;
  Transaction transaction_;
};

}  // namespace

Async<Result<Transaction>> compose_transaction(const Streams& streams,
                                               std::vector<InboxEntry> entries,
                                               std::size_t bytes_max) {
  Composer composer(std::move(entries), bytes_max);
  while (!composer.done()) {
    const InboxEntry wanted = composer.next();
    Stream* stream = streams.find(wanted.stream);
    if (stream == nullptr) co_return fail(Code::storage_failed, "no stream {}", wanted.stream);
    const StreamId before{wanted.id.value - 1};
    CO_TRY(const FactRun run,
           co_await stream->read(before, composer.left(), Stream::Keys::not_needed));
    for (const Chunk& chunk : run.chunks) composer.take(wanted.stream, chunk);
    if (!composer.done() && composer.next().seq == wanted.seq) {
      co_return fail(Code::storage_failed, "fact {} of stream \"{}\" is missing", wanted.id,
                     stream->name());
    }
  }
  co_return std::move(composer).finish();
}

}  // namespace postrider
