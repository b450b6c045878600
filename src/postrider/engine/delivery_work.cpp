#include "postrider/engine/delivery_work.hpp"

#include "postrider/base/log.hpp"

namespace postrider {
namespace {

struct Stored {
  StoredDelivery delivery;
  std::vector<StoredDecisions> decisions;
  LiveDeclarations declarations;
};

Result<Stored> read_stored(SqlConnection& connection, const ReceiverKinds& kinds) {
  Stored stored;
  TRY(stored.delivery, read_stored_delivery(connection));
  TRY_VOID(parse_receivers(stored.delivery, kinds));
  TRY(stored.decisions, read_decisions(connection));
  return stored;
}

}  // namespace

DeliveryWork::DeliveryWork(const EnginePorts& ports, Committer& committer,
                           const EngineSettings& settings, const Catalog& catalog, Metrics& metrics,
                           Streams& streams)
    : ports_(ports),
      commits_(committer),
      settings_(settings),
      catalog_(catalog),
      metrics_(metrics),
      tails_(ports.runtime),
      budget_(ports.runtime, settings.in_flight_bytes_max),
      source_(ports.runtime, ports.background, tails_, streams, budget_),
      controller_(ports.runtime, commits_, source_, budget_, ports.http, metrics.delivery()),
      registry_(ports.runtime, commits_, controller_, settings.services),
      compaction_(ports.runtime, commits_, tails_, settings.compaction),
      interests_(ports.runtime, ports.background.lane, registry_),
      retention_(ports.runtime, commits_, ports.background, streams,
                 settings.streams.each.idempotency_retain, metrics.facts_dropped),
      following_(ports.runtime) {
  if (ports.outbox == nullptr) return;
  outbox_.emplace(ports.runtime, *ports.outbox, ports.background, commits_, streams,
                  settings.outbox, settings.facts, metrics.outbox());
}

DeliveryWork::~DeliveryWork() = default;

void DeliveryWork::add_stream(Stream& stream) {
  // Only what is in order was ever sorted.
  stream.advance_linear_to(stream.sorted_through());
  auto sorter = std::make_unique<Sorter>(
      ports_.runtime, commits_, ports_.background, stream, registry_, tails_.of(stream.key()),
      DecidedBy{interests_, catalog_.policy(stream.format().name())}, settings_.sorter,
      SorterMetrics{metrics_.facts_sorted, metrics_.inbox_entries,
                    metrics_.facts_unwanted.Add({{"stream", stream.name()}}),
                    metrics_.facts_quarantined});
  compaction_.watch(stream.key(), stream.retain());
  if (started_) sorter->start();
  sorters_.emplace(stream.key(), std::move(sorter));
}

Async<Result<void>> DeliveryWork::start(std::vector<ServiceRegistry::Declared> declared,
                                        std::set<SessionKey> lapsed) {
  declared_ = std::move(declared);
  auto work = [this, &lapsed]() -> Result<Stored> {
    SqlConnection& connection = ports_.background.connection;
    TRY(auto stored, read_stored(connection, catalog_.kinds()));
    // Alone there are no sessions.
    if (settings_.fleet) {
      TRY(stored.declarations, read_live_declarations(connection, lapsed));
    }
    return stored;
  };
  CO_TRY(auto stored, co_await run_on(ports_.background.lane, work));
  CO_TRY_VOID(tails_.load(std::move(stored.decisions)));
  CO_TRY_VOID(registry_.load(std::move(stored.delivery), tails_));
  CO_TRY_VOID(co_await reconcile(std::move(stored.declarations)));
  if (stopping_) co_return fail(Code::stopping, "the server is stopping");
  if (!commits_.may_act()) {
    co_return fail(Code::session_ended,
                   "reading the services took so long that others may have ended the session");
  }
  started_ = true;
  for (const auto& [key, sorter] : sorters_) sorter->start();
  compaction_.start();
  registry_.start_delivery();
  retention_.start();
  if (outbox_) outbox_->start();
  co_return Result<void>{};
}

Async<Result<void>> DeliveryWork::reconcile(LiveDeclarations live) {
  CO_TRY_VOID(co_await registry_.reconcile(&declared_, &live));
  configurations_ = std::move(live.configurations);
  co_return Result<void>{};
}

Async<Result<void>> DeliveryWork::read_and_reconcile(std::set<SessionKey> lapsed) {
  auto read = [this, &lapsed] {
    return read_live_declarations(ports_.background.connection, lapsed);
  };
  CO_TRY(auto live, co_await run_on(ports_.background.lane, read));
  co_return co_await reconcile(std::move(live));
}

void DeliveryWork::follow(std::set<SessionKey> configurations, std::set<SessionKey> lapsed) {
  const bool is_busy = following_.running() > 0 || stopping_ || !started_;
  if (is_busy || configurations == configurations_) return;
  following_.spawn(follow_configurations(std::move(lapsed)), "configurations");
}

Async<void> DeliveryWork::follow_configurations(std::set<SessionKey> lapsed) {
  const Result<void> done = co_await read_and_reconcile(std::move(lapsed));
  const std::string error = done ? "" : done.error().detail;
  if (!done && error != configuration_error_) {
    log_warn(
        "services could not be made what the configurations of all processes say, which is"
        " tried again: {}",
        error);
  }
  configuration_error_ = error;
}

void DeliveryWork::request_stop() {
  stopping_ = true;
  controller_.request_stop();
  if (outbox_) outbox_->request_stop();
}

Async<void> DeliveryWork::stopped() {
  co_await following_.drained();
  for (const auto& [key, sorter] : sorters_) co_await sorter->stop();
  co_await compaction_.stop();
  co_await retention_.stop();
  co_await controller_.gate().drained();
}

Async<void> DeliveryWork::outbox_stopped() {
  if (outbox_) co_await outbox_->stopped();
}

}  // namespace postrider
