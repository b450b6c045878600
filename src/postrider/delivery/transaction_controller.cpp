// Delivery. One coroutine for each service that has work and may be sent to: freeze the next slice
// of an inbox (its number and its last fact, on disk before its first byte leaves), compose, send,
// let the receiver's kind judge the answer, go on. The streams of a service take turns. The freeze
// of n+1 carries the acknowledgement of n, so a receiver that remembers one ID is enough. The first
// transaction of a service that was idle is frozen in the commit that decides on its facts.
//
// What is frozen stays: after a failure, a restart or a takeover the same slice gives the same
// bytes under the same ID. Only a receiver that finds it too large gets a smaller one, under a new
// ID.
//
// Faults: a receiver that fails in any way is DOWN until `next_attempt_at`, which is on disk; its
// window of the inbox is freed. A database that fails rests delivery for a second; nothing is sent
// that is not frozen. A process that may no longer act sends nothing, and what it has in flight is
// sent again by the one that took over: at least once. Receivers that hang hold memory until their
// time-outs: what does not fit into it is read when it does.
#include "postrider/delivery/transaction_controller.hpp"

#include <algorithm>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "postrider/base/assert.hpp"
#include "postrider/base/log.hpp"
#include "postrider/delivery/answer_excerpt.hpp"
#include "postrider/delivery/delivery_run.hpp"
#include "postrider/runtime/yield.hpp"

namespace postrider {
namespace {

// How long a full or failing disk is left alone before delivery tries to write to it again.
constexpr Duration storage_retry_delay = std::chrono::seconds{1};

Error bad_answer(const HttpResponse& response, const Receiver& receiver) {
  Error error{Code::bad_status, fmt::format("receiver answered HTTP {}", response.status)};
  const bool redirect = response.status >= 300 && response.status < 400;
  if (redirect) error.detail += ", and redirects are not followed; register the final URL";
  const std::string excerpt = answer_excerpt(response.body, receiver.secrets());
  if (!excerpt.empty()) error.detail += ": " + excerpt;
  error.retry_after = response.retry_after;
  return error;
}

/// After transactions were too large: it may have been one fact of them. Little by little, since
/// each that is too large again is sent in vain.
void grow_again(Service& service) {
  std::size_t& facts_max = service.split_facts_max;
  if (facts_max == 0) return;
  facts_max += std::max<std::size_t>(1, facts_max / 8);
  if (facts_max >= service.policy.limits.facts_max) facts_max = 0;
}

/// Whether it says something about the receiver. Else the same is sent again, if it still may be.
bool was_tried(const Result<HttpResponse>& answer) {
  if (answer) return true;
  const Code code = answer.error().code;
  return code != Code::stopping && code != Code::session_ended && code != Code::connection_lost;
}

std::string transaction_id(const Service& service, TransactionNumber number) {
  return fmt::format("{}-{}", service.row.transaction_prefix, number);
}

}  // namespace

TransactionController::TransactionController(Runtime& runtime, Commits& commits,
                                             TransactionSource& source, TransactionBudget& budget,
                                             HttpClient& http, DeliveryMetrics metrics)
    : runtime_(runtime),
      commits_(commits),
      source_(source),
      budget_(budget),
      http_(http),
      quarantine_(runtime, metrics.facts_quarantined),
      metrics_(metrics),
      gate_(runtime) {}

bool TransactionController::may_send(const Service& service) const {
  const bool is_down = service.delivery.status == DeliveryStatus::down;
  const bool its_turn = service.is_active() || (is_down && service.retry_due);
  return !stopping_ && !service.removed && its_turn && service.is_pushed() && service.has_work();
}

/// A change of its state that is not on disk may be undone.
bool TransactionController::is_idle(const Service& service) const {
  const bool may_begin = !stopping_ && !service.removed && service.is_active();
  const bool is_settled = service.revision.is_saved() && !service.has_frozen();
  return may_begin && is_settled && !service.delivering && !service.has_work();
}

void TransactionController::wake(const std::shared_ptr<Service>& service) {
  if (service->delivering || !may_send(*service)) return;
  cancel_retry(*service);
  service->delivering = true;
  gate_.spawn(deliver(service, std::nullopt), "delivery");
}

std::optional<FrozenTransaction> TransactionController::freeze_decided(
    const std::shared_ptr<Service>& service, const DecidedFacts& decided,
    const std::vector<StreamId>& positions) {
  if (!is_idle(*service)) return std::nullopt;
  FrozenTransaction frozen{service, decided.stream, {}, {}, UnsavedDelivery(*service)};
  const auto known = service->streams.find(decided.stream);
  if (known != service->streams.end()) frozen.cursor = known->second.cursor;
  frozen.transaction =
      take_transaction(decided.stream_name, positions, decided.chunks, service->limits());
  auto share = budget_.take(frozen.transaction.batches, TransactionBudget::Receiver::healthy);
  if (!share) return std::nullopt;
  frozen.transaction.memory = *std::move(share);
  frozen.cursor.transaction = service->last_transaction().plus(1);
  frozen.cursor.frozen = {frozen.transaction.last};
  frozen.unsaved.set_cursor(*service, decided.stream, frozen.cursor);
  service->delivering = true;
  return frozen;
}

void TransactionController::start_frozen(FrozenTransaction frozen) {
  StreamDelivery& stream = frozen.service->streams[frozen.stream];
  stream.cursor = frozen.cursor;
  frozen.unsaved.set_saved(*frozen.service);
  gate_.spawn(deliver(std::move(frozen.service), std::move(frozen.transaction)), "delivery");
}

void TransactionController::drop_frozen(const std::shared_ptr<Service>& service) {
  service->delivering = false;
  if (!service->is_active()) service->forget_windows();
  wake(service);
}

void TransactionController::schedule_retry(const std::shared_ptr<Service>& service) {
  if (service->delivery.status != DeliveryStatus::down) return;
  Duration delay{};
  if (service->delivery.next_attempt_at) {
    delay = *service->delivery.next_attempt_at - runtime_.wall_now();
  }
  // The wall clock may have been set back since; no wait is longer than the interval itself.
  const Duration longest = std::max(service->delivery.retry_interval, service->policy.backoff.max);
  call_later(service, std::clamp(delay, Duration{}, longest));
}

void TransactionController::call_later(const std::shared_ptr<Service>& service, Duration delay) {
  cancel_retry(*service);
  service->retry_timer =
      runtime_.call_at(runtime_.now() + delay, [this, weak = std::weak_ptr<Service>(service)] {
        const auto still = weak.lock();
        if (!still) return;
        still->retry_timer.reset();
        still->retry_due = true;
        wake(still);
      });
}

void TransactionController::cancel_retry(Service& service) {
  if (service.retry_timer) runtime_.cancel(*service.retry_timer);
  service.retry_timer.reset();
}

Async<void> TransactionController::save(std::shared_ptr<Service> service) {
  const Result<void> saved = co_await save_delivery(commits_, service.get());
  if (saved) co_return;
  log_warn("service {}: {}", service->row.id, saved.error().detail);
  save_later(service);
}

/// Whoever has got everything is not delivered to for long, and what it has acknowledged is kept on
/// the disk until that knows of it.
void TransactionController::save_later(const std::shared_ptr<Service>& service) {
  if (service->save_timer) return;
  service->save_timer = runtime_.call_at(runtime_.now() + storage_retry_delay,
                                         [this, weak = std::weak_ptr<Service>(service)] {
                                           const auto still = weak.lock();
                                           if (!still) return;
                                           still->save_timer.reset();
                                           const bool is_due = still->has_unsaved();
                                           if (stopping_ || still->removed || !is_due) return;
                                           gate_.spawn(save(still), "delivery save");
                                         });
}

void TransactionController::retry_now(const std::shared_ptr<Service>& service) {
  if (service->delivery.status != DeliveryStatus::down) return;
  cancel_retry(*service);
  service->retry_due = true;
  wake(service);
}

void TransactionController::forget(Service& service) {
  service.removed = true;
  cancel_retry(service);
}

Async<void> TransactionController::deliver(std::shared_ptr<Service> service,
                                           std::optional<Transaction> frozen) {
  // The answers to those who appended its facts go out first.
  if (frozen) co_await yield(runtime_);
  DeliveryRun run(service, source_, commits_, quarantine_, std::move(frozen));
  bool goes_on = true;
  while (goes_on && may_send(*service)) {
    service->retry_due = false;
    goes_on = co_await deliver_next(&run);
  }
  if (service->has_unsaved() && !service->removed) co_await save(service);
  service->delivering = false;
  if (!service->is_active()) service->forget_windows();
  if (service->removed) co_return;
  if (!goes_on) {
    call_later(service, storage_retry_delay);
  } else if (service->delivery.status == DeliveryStatus::down && !service->retry_due) {
    schedule_retry(service);
  } else {
    wake(service);
  }
}

/// False when delivery must rest for a while.
Async<bool> TransactionController::deliver_next(DeliveryRun* run) {
  Service* const service = run->service();
  const auto next = service->next_stream();
  POSTRIDER_ASSERT(next != service->streams.end(), "service {} has no work", service->row.id);
  const StreamKey key = next->first;
  StreamDelivery* const stream = &next->second;
  service->turn = key;  // also of what is sent instead of a transaction that was too large
  const Result<void> made = co_await run->make_ready(key, stream);
  if (!made) {
    if (made.error().code != Code::stopping) {
      log_error("service {}: cannot prepare a transaction: {}", service->row.id,
                made.error().detail);
    }
    co_return false;
  }
  const bool can_send = run->is_ready() && may_go_on(*service);
  if (!can_send) co_return true;
  // Another process may have taken over, and be sending it just now.
  if (!commits_.may_act()) co_return false;

  const auto beside = beside_.emplace(beside_.end(), runtime_);
  if (run->wants_ahead(key)) beside->spawn(run->prepare_ahead(key), "delivery ahead");
  auto answer = co_await send_ready(run, stream);
  co_await beside->drained();
  beside_.erase(beside);
  if (answer && was_tried(*answer)) co_await apply_answer(run, stream, *std::move(answer));
  co_return true;
}

/// While a transaction was frozen or sent the service may have been paused, or lost its URL.
bool TransactionController::may_go_on(const Service& service) const {
  const bool paused = service.delivery.status == DeliveryStatus::paused;
  return !stopping_ && !service.removed && !paused && service.is_pushed();
}

/// Sends those that are ready one after the other, until one is not taken or as many are taken as
/// go on without the disk. The answer to the last one is not applied; empty when delivery ended
/// before.
Async<std::optional<Result<HttpResponse>>> TransactionController::send_ready(
    DeliveryRun* run, StreamDelivery* stream) {
  Service* const service = run->service();
  for (std::size_t left = run->round();; --left) {
    auto answer = co_await send(service, stream, &run->front());
    const bool is_taken = answer && service->receiver->judge(*answer) == Verdict::delivered;
    if (!is_taken || left == 1) co_return std::move(answer);
    record_success(run, *stream);
    if (run->must_save() || !may_go_on(*service) || !commits_.may_act()) co_return std::nullopt;
  }
}

/// A receiver that closes its end of an idle connection does so at any time, also just when a
/// request is on its way. That says nothing of the receiver, and a new connection tells.
Async<Result<HttpResponse>> TransactionController::send(Service* service,
                                                        const StreamDelivery* stream,
                                                        const Transaction* transaction) {
  const std::string id = transaction_id(*service, stream->cursor.first_frozen());
  const auto batches =
      std::make_shared<const std::vector<std::shared_ptr<const FactBatch>>>(transaction->batches);
  for (bool fresh = false;; fresh = true) {
    HttpRequest request = service->receiver->compose({.id = id,
                                                      .stream = transaction->stream,
                                                      .first = transaction->first,
                                                      .last = transaction->last,
                                                      .payloads = transaction->payloads,
                                                      .payload_owner = batches,
                                                      .attempted_at = runtime_.wall_now()});
    request.timeout = service->policy.request_timeout;
    request.fresh_connection = fresh;
    request.permit = commits_.permit();
    auto answer = co_await http_.send(std::move(request));
    if (answer || answer.error().code != Code::connection_lost) co_return std::move(answer);
    metrics_.transactions_failed.Increment();
    if (!may_go_on(*service) || !commits_.may_act()) co_return std::move(answer);
  }
}

/// To the first one that is ready.
Async<void> TransactionController::apply_answer(DeliveryRun* run, StreamDelivery* stream,
                                                Result<HttpResponse> answer) {
  Service* const service = run->service();
  const std::size_t facts = run->front().payloads.size();
  Verdict verdict = answer ? service->receiver->judge(*answer) : Verdict::retry;
  if (verdict == Verdict::split && facts == 1) verdict = Verdict::retry;
  if (verdict == Verdict::delivered) {
    service->turn = service->turn.plus(1);
    co_return record_success(run, *stream);
  }
  run->forget();
  if (!answer) co_return co_await record_failure(service, std::move(answer).error());
  switch (verdict) {
    case Verdict::delivered:
      co_return;
    case Verdict::retry:
      co_return co_await record_failure(service, bad_answer(*answer, *service->receiver));
    case Verdict::split:
      record_split(service, *stream, facts);
      co_return;
    case Verdict::stop:
      co_return co_await record_stop(service, bad_answer(*answer, *service->receiver));
  }
}

/// The first one that is ready was taken.
void TransactionController::record_success(DeliveryRun* run, StreamDelivery& stream) {
  Service* const service = run->service();
  const Transaction transaction = run->acknowledge(stream);
  const auto facts = std::ssize(transaction.payloads);
  record_health(service);
  grow_again(*service);

  metrics_.transactions_delivered.Increment();
  metrics_.facts_delivered.Increment(static_cast<double>(facts));
  const WallTime now = runtime_.wall_now();
  for (const WallTime appended_at : transaction.appended_at) {
    metrics_.delivery_seconds.Observe(seconds(std::max(Duration{}, Duration{now - appended_at})));
  }
}

/// The receiver has taken a transaction.
void TransactionController::record_health(Service* service) {
  DeliveryState& delivery = service->delivery;
  const bool recovered = delivery.status == DeliveryStatus::down;
  const bool is_first = delivery.status == DeliveryStatus::untested;
  if (!recovered && !is_first && delivery.attempts == 0) return;
  delivery.attempts = 0;
  delivery.retry_interval = {};
  delivery.next_attempt_at.reset();
  if (recovered || is_first) {
    delivery.status = DeliveryStatus::up;
    delivery.last_error.clear();
  }
  service->revision.change();
  if (recovered) log_info("service {}: up again", service->row.id);
}

Async<void> TransactionController::record_failure(Service* service, Error error) {
  DeliveryState& delivery = service->delivery;
  const Backoff& backoff = service->policy.backoff;
  metrics_.transactions_failed.Increment();
  delivery.attempts += 1;
  delivery.last_error = error.detail;
  delivery.retry_interval = backoff.next(delivery.retry_interval);
  if (error.retry_after) {
    delivery.retry_interval = std::clamp(*error.retry_after, delivery.retry_interval,
                                         std::max(backoff.max, delivery.retry_interval));
  }
  const auto interval = std::chrono::ceil<std::chrono::milliseconds>(delivery.retry_interval);
  delivery.next_attempt_at = runtime_.wall_now() + interval;
  if (delivery.status != DeliveryStatus::paused) delivery.status = DeliveryStatus::down;
  service->forget_windows();
  log_warn("service {}: down after {} failed attempts, next in {} ms: {}", service->row.id,
           delivery.attempts, interval.count(), delivery.last_error);
  service->revision.change();
  const Result<void> saved = co_await save_delivery(commits_, service);
  if (!saved) log_warn("service {}: {}", service->row.id, saved.error().detail);
}

/// The half that is sent instead is another transaction, with an ID of its own. Those that were
/// frozen after it are given up, and no number of theirs is used again: a process before this one
/// may have sent them.
void TransactionController::record_split(Service* service, StreamDelivery& stream,
                                         std::size_t facts) {
  metrics_.transactions_failed.Increment();
  service->split_facts_max = facts / 2;
  stream.cursor.frozen.clear();
  stream.revision.change();
  service->retry_due = service->delivery.status == DeliveryStatus::down;
  log_info("service {}: found a transaction of {} facts too large; sending {}", service->row.id,
           facts, service->split_facts_max);
}

Async<void> TransactionController::record_stop(Service* service, Error error) {
  DeliveryState& delivery = service->delivery;
  metrics_.transactions_failed.Increment();
  delivery.status = DeliveryStatus::paused;
  delivery.paused_by.add(PauseCause::by_receiver);
  delivery.last_error = error.detail + "; delivery rests until the service is resumed";
  delivery.next_attempt_at.reset();
  service->forget_windows();
  log_warn("service {}: {}", service->row.id, delivery.last_error);
  service->revision.change();
  const Result<void> saved = co_await save_delivery(commits_, service);
  if (!saved) log_warn("service {}: {}", service->row.id, saved.error().detail);
}

Async<TransactionController::PingAnswer> TransactionController::ping(
    std::shared_ptr<Service> service) {
  const MonoTime began = runtime_.now();
  const std::string id = fmt::format("{}-ping-{:08x}", service->row.transaction_prefix,
                                     runtime_.random(std::uint64_t{1} << 32));
  HttpRequest request = service->receiver->compose_ping(id, runtime_.wall_now());
  request.timeout = std::min(service->policy.request_timeout, ping_timeout_max);
  request.fresh_connection = true;  // its outcome is the receiver's, not that of an old connection
  request.permit = commits_.permit();
  request.may_wait = false;
  const auto response = co_await http_.send(std::move(request));
  PingAnswer answer;
  answer.duration = runtime_.now() - began;
  if (!response) {
    answer.cause = response.error().detail;
    co_return answer;
  }
  answer.status = response->status;
  if (service->receiver->judge(*response) != Verdict::delivered) {
    answer.cause = bad_answer(*response, *service->receiver).detail;
    co_return answer;
  }
  if (service->delivery.status == DeliveryStatus::untested && !service->delivering) {
    service->delivery.status = DeliveryStatus::up;
    service->revision.change();
    co_await save(service);
  }
  retry_now(service);
  co_return answer;
}

}  // namespace postrider
