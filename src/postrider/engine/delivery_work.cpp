#include "postrider/engine/delivery_work.hpp"

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

struct StoredDelivery {
  std::vector<StoredService> services;
  std::vector<InboxEnd> inbox_ends;
};

Result<StoredDelivery> read_delivery(SqlConnection& connection) {
  StoredDelivery stored;
  TRY(stored.services, read_services(connection));
  TRY(stored.inbox_ends, read_inbox_ends(connection));
  return stored;
}

}  // namespace

Async<Result<void>> LeasedCommits::commit(std::function<Result<void>(SqlConnection&)> apply) {
  Result<void> done = fail(Code::stopping, "another process delivers now");
  if (ended_) co_return done;
  Result<void> outcome = co_await commits_.commit(std::move(apply));
  const bool lost = !outcome && outcome.error().code == Code::session_ended;
  co_return lost ? done : outcome;
}

DeliveryWork::DeliveryWork(const EnginePorts& ports, Commits& commits,
                           const EngineSettings& settings, Metrics& metrics,
                           OutboxDrain::FindStream stream_by_name)
    : ports_(ports),
      commits_(commits),
      settings_(settings),
      metrics_(metrics),
      controller_(
          ports.runtime, commits_, ports.background, ports.http,
          [this](StreamKey key) { return find_stream(key); }, settings.delivery,
          metrics.delivery()),
      registry_(ports.runtime, commits_, controller_, settings.services_max),
      retention_(
          ports.runtime, commits_, ports.background, [this] { return retention_subjects(); },
          settings.stream.idempotency_retain, metrics.facts_dropped) {
  if (ports.outbox == nullptr) return;
  outbox_.emplace(ports.runtime, *ports.outbox, ports.background, commits_,
                  std::move(stream_by_name), settings.outbox, metrics.outbox());
}

DeliveryWork::~DeliveryWork() = default;

void DeliveryWork::add_stream(Stream& stream, StreamId sorted_through, Duration retain) {
  // Only what is in order was ever sorted.
  stream.reach(sorted_through);
  auto sorter = std::make_unique<Sorter>(
      ports_.runtime, commits_, ports_.background, stream, registry_,
      SorterSettings{settings_.sort_facts_max, settings_.server_name},
      SorterMetrics{metrics_.facts_sorted, metrics_.inbox_entries}, sorted_through);
  if (started_) sorter->start();
  parts_.emplace(stream.key(), Part{&stream, std::move(sorter), retain});
}

Async<Result<void>> DeliveryWork::start(std::vector<Registration> declared_services) {
  auto work = [this] { return read_delivery(ports_.background.connection); };
  CO_TRY(auto stored, co_await run_on(ports_.background.lane, work));
  CO_TRY_VOID(
      registry_.load(std::move(stored.services), stored.inbox_ends, settings_.registration));
  CO_TRY_VOID(co_await registry_.reconcile(std::move(declared_services)));
  if (stopping_) co_return fail(Code::stopping, "the server is stopping");
  // What was read may be old by now, if that took long.
  if (!commits_.may_act()) co_return fail(Code::session_ended, "the session may have ended");
  started_ = true;
  for (const auto& [key, part] : parts_) part.sorter->start();
  registry_.start_delivery();
  retention_.start();
  if (outbox_) outbox_->start();
  co_return Result<void>{};
}

void DeliveryWork::request_stop() {
  stopping_ = true;
  controller_.request_stop();
  if (outbox_) outbox_->request_stop();
}

Async<void> DeliveryWork::stopped() {
  for (const auto& [key, part] : parts_) co_await part.sorter->stop();
  co_await retention_.stop();
  co_await controller_.gate().drained();
}

Async<void> DeliveryWork::left_outbox() {
  if (outbox_) co_await outbox_->stopped();
}

std::int64_t DeliveryWork::sort_lag(StreamKey stream) const {
  const auto found = parts_.find(stream);
  POSTRIDER_ASSERT(found != parts_.end(), "no stream {}", stream);
  const Part& part = found->second;
  return part.stream->linear_position().value - part.sorter->sorted_through().value;
}

std::vector<Retention::Subject> DeliveryWork::retention_subjects() const {
  std::vector<Retention::Subject> subjects;
  for (const auto& [key, part] : parts_) {
    subjects.push_back({part.stream, part.sorter->sorted_through(), part.retain});
  }
  return subjects;
}

Stream* DeliveryWork::find_stream(StreamKey key) const {
  const auto found = parts_.find(key);
  return found == parts_.end() ? nullptr : found->second.stream;
}

}  // namespace postrider
