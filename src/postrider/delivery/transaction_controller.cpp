#include "postrider/delivery/transaction_controller.hpp"

#include <algorithm>
#include <limits>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "postrider/base/log.hpp"
#include "postrider/delivery/matrix/transaction_body.hpp"

namespace postrider {
namespace {

constexpr std::size_t no_byte_limit = std::numeric_limits<std::size_t>::max();
constexpr std::int64_t inbox_blocks_per_read = 64;
// How long a full or failing disk is left alone before delivery tries to write to it again.
constexpr Duration storage_retry_delay = std::chrono::seconds{1};
constexpr std::size_t answer_excerpt_bytes = 200;

bool is_success(const HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

std::string printable_excerpt(std::string_view text) {
  std::string excerpt(text.substr(0, answer_excerpt_bytes));
  std::ranges::replace_if(excerpt, [](char c) { return c < ' ' || c > '~'; }, ' ');
  return excerpt;
}

Error bad_answer(const HttpResponse& response) {
  Error error{Code::bad_status, fmt::format("receiver answered HTTP {}", response.status)};
  const bool redirect = response.status >= 300 && response.status < 400;
  if (redirect) error.detail += ", and redirects are not followed; register the final URL";
  const std::string excerpt = printable_excerpt(response.body);
  if (!excerpt.empty()) error.detail += ": " + excerpt;
  error.retry_after = response.retry_after;
  return error;
}

std::string transaction_id(const Service& service) {
  return fmt::format("{}-{}", service.row.transaction_prefix, service.delivery.transaction);
}

}  // namespace

TransactionController::TransactionController(Runtime& runtime, Commits& commits, Reader reader,
                                             HttpClient& http, const Streams& streams,
                                             DeliverySettings settings, DeliveryMetrics metrics)
    : runtime_(runtime),
      commits_(commits),
      reader_(reader),
      http_(http),
      streams_(streams),
      settings_(settings),
      metrics_(metrics),
      gate_(runtime) {}

bool TransactionController::may_send(const Service& service) const {
  const bool its_turn = service.delivery.status == DeliveryStatus::up ||
                        (service.delivery.status == DeliveryStatus::down && service.retry_due);
  return !stopping_ && !service.removed && its_turn && service.is_pushed() && service.has_work();
}

void TransactionController::wake(const std::shared_ptr<Service>& service) {
  if (service->delivering || !may_send(*service)) return;
  cancel_retry(*service);
  service->delivering = true;
  gate_.spawn(deliver(service), "delivery");
}

void TransactionController::schedule_retry(const std::shared_ptr<Service>& service) {
  if (service->delivery.status != DeliveryStatus::down) return;
  Duration delay{};
  if (service->delivery.next_attempt_at) {
    delay = *service->delivery.next_attempt_at - runtime_.wall_now();
  }
  // The wall clock may have been set back since; no wait is longer than the interval itself.
  const Duration longest = std::max(service->delivery.retry_interval, settings_.backoff.max);
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

Async<void> TransactionController::deliver(std::shared_ptr<Service> service) {
  bool goes_on = true;
  while (goes_on && may_send(*service)) {
    service->retry_due = false;
    goes_on = co_await deliver_next(service.get());
  }
  if (service->unsaved && !service->removed) {
    const Result<void> saved = co_await save(service.get());
    if (!saved) log_warn("service {}: {}", service->row.id, saved.error().detail);
  }
  service->delivering = false;
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
Async<bool> TransactionController::deliver_next(Service* service) {
  auto transaction = co_await freeze_next(service);
  if (!transaction) {
    if (transaction.error().code != Code::stopping) {
      log_error("service {}: cannot prepare a transaction: {}", service->row.id,
                transaction.error().detail);
    }
    co_return false;
  }
  // While the transaction was frozen it may have been paused, or lost its URL.
  const bool paused = service->delivery.status == DeliveryStatus::paused;
  if (stopping_ || service->removed || paused || !service->is_pushed()) co_return true;

  // Another process may have taken over, and be sending it just now.
  if (!commits_.may_act()) co_return false;

  HttpRequest request = matrix_transaction_request(
      *service->registration->url, service->registration->hs_token, transaction_id(*service));
  request.body = transaction->body;
  request.timeout = settings_.request_timeout;
  auto response = co_await http_.send(std::move(request));
  if (response && is_success(*response)) {
    record_success(service, *transaction);
    co_return true;
  }
  Error error = response ? bad_answer(*response) : std::move(response).error();
  if (error.code == Code::stopping) co_return true;
  co_await record_failure(service, std::move(error));
  co_return true;
}

Async<Result<Transaction>> TransactionController::freeze_next(Service* service) {
  DeliveryState& delivery = service->delivery;
  if (delivery.frozen_through) {
    const auto count = delivery.frozen_through->value - delivery.acknowledged.value;
    co_return co_await compose(service, static_cast<std::size_t>(count), no_byte_limit);
  }
  CO_TRY(auto transaction,
         co_await compose(service, settings_.limits.facts_max, settings_.limits.bytes_max));
  delivery.transaction = delivery.transaction.plus(1);
  delivery.frozen_through = transaction.last;
  const Result<void> saved = co_await save(service);
  if (!saved) {
    // Nothing was sent under this number, and nothing of it is on disk.
    delivery.transaction = delivery.transaction.plus(-1);
    delivery.frozen_through.reset();
    service->unsaved = true;
    co_return std::unexpected(saved.error());
  }
  co_return transaction;
}

Async<Result<Transaction>> TransactionController::compose(Service* service, std::size_t count_max,
                                                          std::size_t bytes_max) {
  while (service->inbox.needs_blocks(count_max)) {
    CO_TRY_VOID(co_await load_window(service, count_max));
  }
  CO_TRY(auto entries, service->inbox.slice(count_max));
  if (entries.empty()) {
    co_return fail(Code::storage_failed, "the inbox is empty after entry {}",
                   service->delivery.acknowledged);
  }
  co_return co_await compose_transaction(streams_, std::move(entries), bytes_max);
}

Async<Result<void>> TransactionController::load_window(Service* service, std::size_t count_max) {
  const ServiceKey key = service->row.key;
  const InboxSeq after = service->inbox.window_end();
  const auto blocks_max = std::max(inbox_blocks_per_read, static_cast<std::int64_t>(count_max));
  auto work = [this, key, after, blocks_max] {
    return read_inbox_blocks(reader_.connection, key, after, blocks_max);
  };
  CO_TRY(auto blocks, co_await run_on(reader_.lane, work));
  if (blocks.empty()) {
    co_return fail(Code::storage_failed, "inbox entries after {} are missing", after);
  }
  service->inbox.extend(std::move(blocks));
  co_return Result<void>{};
}

Async<Result<void>> TransactionController::save(Service* service) {
  const ServiceKey key = service->row.key;
  const DeliveryState state = service->delivery;
  service->unsaved = false;
  std::function<Result<void>(SqlConnection&)> apply = [key, state](SqlConnection& connection) {
    return update_delivery(connection, key, state);
  };
  Result<void> saved = co_await commits_.commit(std::move(apply));
  if (!saved) service->unsaved = true;
  co_return saved;
}

void TransactionController::record_success(Service* service, const Transaction& transaction) {
  DeliveryState& delivery = service->delivery;
  const bool recovered = delivery.status == DeliveryStatus::down;
  delivery.acknowledged = transaction.last;
  delivery.frozen_through.reset();
  delivery.attempts = 0;
  delivery.retry_interval = {};
  delivery.next_attempt_at.reset();
  if (recovered) {
    delivery.status = DeliveryStatus::up;
    delivery.last_error.clear();
  }
  service->inbox.acknowledge(transaction.last);
  if (recovered) log_info("service {}: up again", service->row.id);
  service->unsaved = true;

  metrics_.transactions_delivered.Increment();
  metrics_.facts_delivered.Increment(static_cast<double>(transaction.appended_at.size()));
  const WallTime now = runtime_.wall_now();
  for (const WallTime appended_at : transaction.appended_at) {
    metrics_.delivery_seconds.Observe(seconds(std::max(Duration{}, Duration{now - appended_at})));
  }
}

Async<void> TransactionController::record_failure(Service* service, Error error) {
  DeliveryState& delivery = service->delivery;
  metrics_.transactions_failed.Increment();
  delivery.attempts += 1;
  delivery.last_error = error.detail;
  delivery.retry_interval = settings_.backoff.next(delivery.retry_interval);
  if (error.retry_after) {
    delivery.retry_interval = std::clamp(*error.retry_after, delivery.retry_interval,
                                         std::max(settings_.backoff.max, delivery.retry_interval));
  }
  const auto interval = std::chrono::ceil<std::chrono::milliseconds>(delivery.retry_interval);
  delivery.next_attempt_at = runtime_.wall_now() + interval;
  if (delivery.status != DeliveryStatus::paused) delivery.status = DeliveryStatus::down;
  service->inbox.forget_window();
  log_warn("service {}: down after {} failed attempts, next in {} ms: {}", service->row.id,
           delivery.attempts, interval.count(), delivery.last_error);
  service->unsaved = true;
  const Result<void> saved = co_await save(service);
  if (!saved) log_warn("service {}: {}", service->row.id, saved.error().detail);
}

}  // namespace postrider
