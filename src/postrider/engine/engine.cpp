#include "postrider/engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "postrider/base/log.hpp"

namespace postrider {
namespace {

constexpr std::string_view delivery_lease = "delivery";

std::unique_ptr<Session> session_of(const EngineSettings& settings) {
  if (!settings.fleet) return nullptr;
  return std::make_unique<Session>(settings.fleet->instance_name, settings.fleet->session_interval);
}

/// That are of sessions which have not lapsed.
std::set<SessionKey> configurations_in(const StoredSessions& stored,
                                       const std::set<SessionKey>& lapsed) {
  std::set<SessionKey> configurations;
  for (const SessionRow& row : stored.sessions) {
    if (!lapsed.contains(row.session)) configurations.insert(row.configuration);
  }
  return configurations;
}

}  // namespace

Engine::Engine(EnginePorts ports, EngineSettings settings)
    : ports_(ports),
      settings_(std::move(settings)),
      catalog_(settings_.catalog),
      session_(session_of(settings_)),
      committer_(ports.runtime, ports.writer, ports.background, metrics_.committer(),
                 session_.get()),
      streams_(ports.runtime, committer_, ports.background, settings_.streams,
               StreamMetrics{metrics_.facts_per_commit}, session_.get(), this),
      quarantine_(committer_, ports.background, streams_),
      ending_deliveries_(ports.runtime),
      stopping_outboxes_(ports.runtime) {
  if (session_) start_fleet();
}

Engine::~Engine() = default;

void Engine::start_fleet() {
  Membership::Listener& listener = *this;
  writers_.emplace(streams_, committer_, ports_.background, *session_);
  membership_.emplace(ports_.runtime, ports_.writer, ports_.background, committer_, *session_,
                      *settings_.fleet, delivery_lease, listener);
  if (ports_.bus == nullptr) return;
  replicator_.emplace(
      ports_.runtime, *ports_.bus_lane, *ports_.bus, *session_, streams_,
      Replicator::Callbacks{
          .poll_soon = [this] { membership_->poll_soon(); },
          .needs_attributes = [this] { return delivery_ != nullptr; },
          .retry_service = [this](std::string_view service) { retry_service(service); }});
}

void Engine::retry_service(std::string_view service) {
  const auto work = delivery();
  if (!work) return;
  if (const auto tried = work->services().retry(service); !tried) {
    log_warn("replication: another process asked to try service \"{}\" again, which failed: {}",
             service, tried.error().detail);
  }
}

Async<Result<void>> Engine::start(ServiceRegistry::Receivers declared_services) {
  declared_services_ = ServiceRegistry::declared(std::move(declared_services));
  for (const auto& [receiver, digest] : declared_services_) {
    declarations_.push_back({receiver->id(), digest});
  }
  std::ranges::sort(declarations_, {}, &Declaration::service);
  committer_.start();
  if (membership_) {
    CO_TRY_VOID(co_await membership_->start());
  } else {
    CO_TRY_VOID(co_await streams_.load(ports_.writer));
  }
  CO_TRY_VOID(co_await streams_.create_declared());
  if (membership_) co_return Result<void>{};
  co_return co_await start_delivery();
}

void Engine::on_stream_added(Stream& stream) {
  if (delivery_) delivery_->add_stream(stream);
  if (replicator_) replicator_->attach(stream);
}

void Engine::on_stream_created(Stream&) {
  if (membership_) membership_->poll_soon();
}

Async<Result<void>> Engine::start_delivery() {
  auto work =
      std::make_shared<DeliveryWork>(ports_, committer_, settings_, catalog_, metrics_, streams_);
  delivery_ = work;
  for (Stream* const stream : streams_.all()) work->add_stream(*stream);
  co_return co_await work->start(declared_services_, lapsed_sessions_);
}

Result<void> Engine::prepare_session(SqlConnection& connection, InstanceKey instance,
                                     const StoredSessions& stored) {
  TRY_VOID(declare(connection, {instance, stored.newest}, declarations_));
  return writers_->join_all(connection, instance, stored);
}

void Engine::on_session_begun() {
  writers_->on_session_begun();
}

Async<Result<void>> Engine::on_snapshot(const MembershipSnapshot* snapshot) {
  const StoredSessions* const stored = &snapshot->stored;
  CO_TRY_VOID(co_await writers_->join_new_streams(stored));
  if (replicator_) {
    if (!std::exchange(is_replicating_, true)) replicator_->start(stored->fleet);
    replicator_->set_instances(stored->sessions);
  }
  writers_->apply_positions(*stored, are_changes_announced());
  CO_TRY_VOID(co_await writers_->save_positions());
  lapsed_sessions_.clear();
  for (const auto& [session, since] : snapshot->ended_since) {
    if (ports_.runtime.now() - since >= declares_after_end) lapsed_sessions_.insert(session);
  }
  auto configurations = configurations_in(*stored, lapsed_sessions_);
  if (const auto work = delivery()) work->follow(std::move(configurations), lapsed_sessions_);
  co_return Result<void>{};
}

bool Engine::are_changes_announced() const {
  return replicator_ && replicator_->is_connected();
}

bool Engine::can_work() const {
  return !stopping_ && !delivery_ && ending_deliveries_.running() == 0;
}

Async<Result<void>> Engine::begin_work() {
  auto read = [this] { return read_streams(ports_.background.connection); };
  CO_TRY(const auto rows, co_await run_on(ports_.background.lane, read));
  if (stopping_) co_return fail(Code::stopping, "the server is stopping");
  for (const StreamRow& row : rows) {
    if (Stream* const stream = streams_.find(row.key)) {
      stream->set_sorted({row.sorted_through, row.facts_unwanted});
    }
  }
  log_info("this process sorts and delivers from now on");
  Result<void> started = co_await start_delivery();
  if (!started) end_delivery();
  co_return started;
}

void Engine::end_delivery() {
  if (!delivery_) return;
  log_warn("this process no longer sorts and delivers; another one takes over");
  delivery_->end_commits();
  wind_down(std::exchange(delivery_, nullptr));
}

void Engine::wind_down(std::shared_ptr<DeliveryWork> work) {
  work->request_stop();
  ending_.push_back(std::move(work));
  ending_deliveries_.spawn(wait_for_delivery(ending_.back().get()), "ending delivery");
}

Async<void> Engine::wait_for_delivery(DeliveryWork* ended) {
  co_await ended->stopped();
  // The next delivery need not wait for it: of two processes that drain an outbox, one is refused.
  stopping_outboxes_.spawn(wait_for_outbox(ended), "stopping outbox");
}

Async<void> Engine::wait_for_outbox(DeliveryWork* ended) {
  co_await ended->outbox_stopped();
  ending_.erase(std::ranges::find(ending_, ended, &std::shared_ptr<DeliveryWork>::get));
}

bool Engine::ask_to_retry(const std::string& service) {
  const bool is_one_line = service.find_first_of("\r\n") == std::string::npos;
  if (!is_one_line || !replicator_ || !replicator_->is_connected()) return false;
  replicator_->announce_server_up(service);
  return true;
}

std::string Engine::delivering_instance() const {
  return membership_ ? membership_->lease_holder() : "";
}

Async<void> Engine::stop(Duration grace, std::function<void()> end_requests) {
  stopping_ = true;
  if (delivery_) wind_down(delivery_);
  const auto timer = ports_.runtime.call_at(ports_.runtime.now() + grace, std::move(end_requests));
  co_await ending_deliveries_.drained();
  ports_.runtime.cancel(timer);
  if (membership_) co_await membership_->stop();
  // What was about to begin has ended at once.
  co_await ending_deliveries_.drained();
  if (is_replicating_) replicator_->stop();
  co_await stopping_outboxes_.drained();
  co_await committer_.stop();
}

std::vector<std::string> Engine::warnings(const Receiver& receiver) const {
  std::vector<std::string> warnings = receiver.warnings();
  const auto interest = receiver.interest();
  std::string names;
  for (const Stream* const stream : streams_.all()) {
    const std::string_view format = stream->format().name();
    if (catalog_.policy(format).may_match(*interest, stream->name())) return warnings;
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", stream->name(), format);
  }
  if (names.empty() && settings_.streams.auto_create) return warnings;
  warnings.push_back(
      fmt::format("no stream that there is can give it a fact: {}; it waits for one that does",
                  names.empty() ? "there are none" : "there are " + names));
  return warnings;
}

Async<Result<std::vector<StreamRow>>> Engine::stored_streams() {
  auto read = [this] { return read_streams(ports_.background.connection); };
  co_return co_await run_on(ports_.background.lane, read);
}

std::string Engine::metrics_text() {
  for (const Stream* const stream : streams_.all()) {
    const StreamId position = stream->linear_position();
    const auto lag = delivery_ ? stream->sort_lag() : 0;
    metrics_.linear_position.Add({{"stream", stream->name()}})
        .Set(static_cast<double>(position.value));
    metrics_.sort_lag.Add({{"stream", stream->name()}}).Set(static_cast<double>(lag));
  }
  refresh_service_gauges();
  const auto written = ports_.written_bytes ? ports_.written_bytes() : std::nullopt;
  if (written) {
    prometheus::Counter& counted = metrics_.storage_written_bytes.Add({});
    counted.Increment(static_cast<double>(*written) - counted.Value());
  }
  if (ports_.log_lines_dropped) {
    prometheus::Counter& counted = metrics_.log_lines_dropped;
    counted.Increment(static_cast<double>(ports_.log_lines_dropped()) - counted.Value());
  }
  return metrics_.text();
}

/// They are of the services that this process delivers to: of none when another one does.
void Engine::refresh_service_gauges() {
  std::array<double, 4> by_state{};
  double oldest_seconds = 0;
  std::set<std::string> shown;
  const WallTime now = ports_.runtime.wall_now();
  const auto refresh = [&](const std::string& id, const Service& service) {
    by_state.at(static_cast<std::size_t>(service.delivery.status)) += 1;
    const auto oldest = service.oldest_appended_at();
    const double age = oldest ? std::max(0.0, seconds(now - *oldest)) : 0;
    if (service.is_pushed()) oldest_seconds = std::max(oldest_seconds, age);
    if (!settings_.per_service_metrics) return;
    metrics_.service_behind.Add({{"service", id}}).Set(static_cast<double>(service.behind()));
    metrics_.service_oldest_undelivered.Add({{"service", id}}).Set(age);
    shown.insert(id);
  };
  if (delivery_) {
    for (const auto& [id, service] : delivery_->services().all()) refresh(id, *service);
  }
  for (std::size_t i = 0; i < by_state.size(); ++i) metrics_.services.at(i)->Set(by_state.at(i));
  metrics_.oldest_undelivered_seconds.Set(oldest_seconds);
  const TransactionBudget* const budget = delivery_ ? &delivery_->budget() : nullptr;
  const auto gauge = [](std::size_t value) { return static_cast<double>(value); };
  metrics_.in_flight_bytes.Set(gauge(budget != nullptr ? budget->held_bytes() : 0));
  metrics_.waiting_for_memory.Set(gauge(budget != nullptr ? budget->waiting() : 0));
  for (const std::string& id : std::exchange(services_shown_, shown)) {
    if (!shown.contains(id)) metrics_.forget_service(id);
  }
}

}  // namespace postrider
