#include "postrider/api/append_queue.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

namespace postrider {
namespace {

namespace asio = boost::asio;

// Parsing more than this takes so long that the engine begins with what there is.
constexpr std::size_t batch_bytes_max = 64U << 10;
// As many connections go on before those that have something to read get their turn.
constexpr std::ptrdiff_t answers_per_turn = 128;

}  // namespace

Async<Result<AppendReceipt>> AppendQueue::append(Stream* stream,
                                                 std::shared_ptr<const FactBatch> facts) {
  auto start = [this, stream, facts = std::move(facts)](auto handler) mutable {
    asio::any_io_executor executor = asio::get_associated_executor(handler);
    add({stream, std::move(facts), {std::move(executor), std::move(handler)}});
  };
  using Signature = void(Result<AppendReceipt>);
  return asio::async_initiate<const asio::use_awaitable_t<>, Signature>(std::move(start),
                                                                        asio::use_awaitable);
}

void AppendQueue::add(Request request) {
  asio::any_io_executor of_first;
  bool is_full = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) of_first = request.client.executor;
    waiting_bytes_ += request.facts->payload_bytes();
    waiting_.push_back(std::move(request));
    is_full = waiting_bytes_ >= batch_bytes_max;
  }
  if (is_full) return hand_over();
  // Behind all connections that have something to read already.
  if (of_first) asio::post(of_first, [this] { hand_over(); });
}

void AppendQueue::hand_over() {
  std::vector<Request> requests;
  {
    const std::lock_guard lock(mutex_);
    requests.swap(waiting_);
    waiting_bytes_ = 0;
  }
  if (requests.empty()) return;
  asio::post(engine_.runtime().executor(),
             [this, requests = std::move(requests)]() mutable { begin(std::move(requests)); });
}

void AppendQueue::begin(std::vector<Request> requests) {
  const MonoTime started = engine_.runtime().now();
  for (Request& request : requests) {
    const std::size_t bytes = request.facts->payload_bytes();
    auto done = [this, started, bytes,
                 client = std::move(request.client)](Result<AppendReceipt> receipt) mutable {
      observe(receipt, started, bytes);
      answer({std::move(client), std::move(receipt)});
    };
    request.stream->append(std::move(request.facts), std::move(done));
  }
}

void AppendQueue::observe(const Result<AppendReceipt>& receipt, MonoTime started,
                          std::size_t bytes) {
  Metrics& metrics = engine_.metrics();
  metrics.append_seconds.Observe(seconds(engine_.runtime().now() - started));
  if (!receipt) return;
  metrics.facts_appended.Increment(static_cast<double>(receipt->fact_count));
  metrics.bytes_appended.Increment(static_cast<double>(bytes));
}

void AppendQueue::answer(Answer answer) {
  // All answers of a commit come one after the other.
  if (answered_.empty()) asio::post(engine_.runtime().executor(), [this] { hand_back(); });
  answered_.push_back(std::move(answer));
}

void AppendQueue::hand_back() {
  std::vector<Answer> answers = std::exchange(answered_, {});
  for (auto from = answers.begin(); from != answers.end();) {
    const asio::any_io_executor executor = from->client.executor;
    const auto end = from + std::min(answers_per_turn, answers.end() - from);
    const auto to = std::find_if_not(std::next(from), end, [&executor](const Answer& each) {
      return each.client.executor == executor;
    });
    std::vector<Answer> together{std::move_iterator(from), std::move_iterator(to)};
    asio::post(executor, [together = std::move(together)]() mutable {
      for (Answer& each : together) each.client.resume(std::move(each.receipt));
    });
    from = to;
  }
}

}  // namespace postrider
