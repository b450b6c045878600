#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "postrider/delivery/service.hpp"
#include "postrider/delivery/transaction_source.hpp"
#include "postrider/delivery/unsaved_delivery.hpp"
#include "postrider/runtime/gate.hpp"
#include "postrider/runtime/http_client.hpp"
#include "postrider/sort/inboxes.hpp"
#include "postrider/stream/quarantine.hpp"

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace postrider {

class DeliveryRun;

struct DeliveryMetrics {
  prometheus::Counter& transactions_delivered;
  prometheus::Counter& transactions_failed;
  prometheus::Counter& facts_delivered;
  prometheus::Histogram& delivery_seconds;  ///< append to 2xx, of each fact
  prometheus::Counter& facts_quarantined;
};

/// The transaction of a service that was idle, frozen in the commit that decides on its facts.
struct FrozenTransaction {
  std::shared_ptr<Service> service;
  StreamKey stream;
  Transaction transaction;
  DeliveryCursor cursor;
  UnsavedDelivery unsaved;  ///< holds `cursor`
};

/// Delivers the inboxes. For each service with work: freeze the next slice as a transaction (its
/// number and bounds are on disk before its first byte leaves), send it, and on 2xx go on; the
/// commit that freezes transaction n+1 carries the acknowledgement of n. While n is in flight n+1
/// is read, when a full one waits. What an answer means says the receiver's kind: a failed attempt
/// marks the service DOWN under a persisted backoff; the recoverer is the same loop, started by a
/// timer, and continues until the inbox is empty or it fails again. An idle service costs nothing
/// here.
class TransactionController {
 public:
  TransactionController(Runtime& runtime, Commits& commits, TransactionSource& source,
                        TransactionBudget& budget, HttpClient& http, DeliveryMetrics metrics);

  /// Level-triggered: starts delivering when the service has work and may be sent to.
  void wake(const std::shared_ptr<Service>& service);
  /// While a commit is being prepared that decides that the service gets the facts at `positions`:
  /// its next transaction, if it is idle and would be sent one at once. Nothing else is sent to it
  /// until the caller has written `unsaved` in that commit and calls one of the next two.
  std::optional<FrozenTransaction> freeze_decided(const std::shared_ptr<Service>& service,
                                                  const DecidedFacts& decided,
                                                  const std::vector<StreamId>& positions);
  /// The commit is on disk, and the facts are in the inbox.
  void start_frozen(FrozenTransaction frozen);
  /// Nothing of it is on disk.
  void drop_frozen(const std::shared_ptr<Service>& service);

  /// A DOWN service's next attempt: arms the timer from its persisted time. Used at start.
  void schedule_retry(const std::shared_ptr<Service>& service);
  /// A DOWN service is tried now; its backoff stays.
  void retry_now(const std::shared_ptr<Service>& service);
  void forget(Service& service);

  /// Whoever asks for a ping waits for it.
  static constexpr Duration ping_timeout_max = std::chrono::seconds{10};

  struct PingAnswer {
    std::optional<int> status;  ///< of HTTP; empty when there was no answer
    Duration duration{};
    std::string cause;  ///< what is wrong; empty when the receiver took it
  };
  /// Sends the service a request that carries nothing, beside what is under way, and waits for its
  /// answer no longer than for that of a transaction, nor than `ping_timeout_max`. An answer that
  /// is good makes an untested service UP, and a DOWN one is tried at once.
  Async<PingAnswer> ping(std::shared_ptr<Service> service);

  /// No new transaction is started. The caller then ends the HTTP client's requests after the
  /// grace time.
  void request_stop() {
    stopping_ = true;
    budget_.request_stop();
  }
  [[nodiscard]] Gate& gate() { return gate_; }

 private:
  /// `frozen`: what to begin with.
  Async<void> deliver(std::shared_ptr<Service> service, std::optional<Transaction> frozen);
  Async<bool> deliver_next(DeliveryRun* run);
  Async<std::optional<Result<HttpResponse>>> send_ready(DeliveryRun* run, StreamDelivery* stream);
  Async<Result<HttpResponse>> send(Service* service, const StreamDelivery* stream,
                                   const Transaction* transaction);
  Async<void> apply_answer(DeliveryRun* run, StreamDelivery* stream, Result<HttpResponse> answer);
  void record_success(DeliveryRun* run, StreamDelivery& stream);
  void record_health(Service* service);
  Async<void> record_failure(Service* service, Error error);
  Async<void> record_stop(Service* service, Error error);
  void record_split(Service* service, StreamDelivery& stream, std::size_t facts);
  Async<void> save(std::shared_ptr<Service> service);
  void save_later(const std::shared_ptr<Service>& service);
  void call_later(const std::shared_ptr<Service>& service, Duration delay);
  void cancel_retry(Service& service);
  [[nodiscard]] bool may_send(const Service& service) const;
  [[nodiscard]] bool may_go_on(const Service& service) const;
  [[nodiscard]] bool is_idle(const Service& service) const;

  Runtime& runtime_;
  Commits& commits_;
  TransactionSource& source_;
  TransactionBudget& budget_;
  HttpClient& http_;
  Quarantine quarantine_;
  DeliveryMetrics metrics_;
  Gate gate_;
  /// What is prepared beside requests, of each. Not in the coroutine that waits for it, which would
  /// own itself then.
  std::list<Gate> beside_;
  bool stopping_ = false;
};

}  // namespace postrider
