#include "postrider/engine/engine.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"
#include "postrider/base/log.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/stream/event_format.hpp"
#include "postrider/stream/stream_name.hpp"

namespace postrider {
namespace {

struct StoredStream {
  StreamRow row;
  StreamId last_id;
};

Result<std::vector<StoredStream>> read_stored_streams(SqlConnection& connection) {
  std::vector<StoredStream> stored;
  TRY(const auto rows, read_streams(connection));
  for (const StreamRow& row : rows) {
    TRY(const auto last, last_stored_id(connection, row.key));
    stored.push_back(
        {row, std::max({row.dropped_through, row.sorted_through, last.value_or(StreamId{})})});
  }
  return stored;
}

std::unique_ptr<Session> session_of(const EngineSettings& settings) {
  if (!settings.fleet) return nullptr;
  return std::make_unique<Session>(settings.fleet->instance_name, settings.fleet->session_interval);
}

}  // namespace

Engine::Engine(EnginePorts ports, EngineSettings settings)
    : ports_(ports),
      settings_(std::move(settings)),
      session_(session_of(settings_)),
      committer_(ports.runtime, ports.writer.lane, ports.writer.connection, metrics_.committer(),
                 session_.get()),
      ended_deliveries_(ports.runtime),
      left_outboxes_(ports.runtime),
      stream_created_(ports.runtime) {
  FleetMember& member = *this;
  if (!session_) return;
  fleet_.emplace(ports_, committer_, *session_, *settings_.fleet, member);
  if (ports.bus == nullptr) return;
  replicator_.emplace(ports.runtime, *ports.bus_lane, *ports.bus, *session_, surroundings());
}

Engine::~Engine() = default;

Replicator::Surroundings Engine::surroundings() {
  return {.find_stream =
              [this](std::string_view name) {
                const auto found = streams_.find(name);
                return found == streams_.end() ? nullptr : found->second.stream.get();
              },
          .streams = [this] { return streams(); },
          .look_soon = [this] { fleet_->look_soon(); },
          .sorts = [this] { return delivery_ != nullptr; },
          .try_service =
              [this](std::string_view service) {
                const auto work = delivery();
                if (!work) return;
                if (const auto tried = work->services().retry(service); !tried) {
                  log_warn("replication: {}", tried.error().detail);
                }
              }};
}

Async<Result<void>> Engine::start(std::vector<Registration> declared_services) {
  declared_services_ = std::move(declared_services);
  committer_.start();
  if (fleet_) {
    CO_TRY_VOID(co_await fleet_->start());
  } else {
    CO_TRY_VOID(co_await load());
  }
  for (const auto& [name, declaration] : settings_.streams) {
    if (streams_.contains(name)) continue;
    CO_TRY_VOID(co_await create_stream(name, declaration));
  }
  if (fleet_) co_return Result<void>{};
  co_return co_await start_delivery();
}

Async<Result<void>> Engine::load() {
  auto work = [this] { return read_stored_streams(ports_.writer.connection); };
  CO_TRY(const auto stored, co_await run_on(ports_.writer.lane, work));
  for (const StoredStream& stream : stored) {
    CO_TRY_VOID(check_format(stream.row));
    add_stream(stream.row, stream.last_id);
  }
  co_return Result<void>{};
}

Result<void> Engine::check_format(const StreamRow& row) const {
  const auto declared = settings_.streams.find(row.name);
  if (declared == settings_.streams.end() || declared->second.format == row.format) return {};
  return fail(Code::storage_incompatible,
              "stream \"{}\" holds facts of format {}, and the configuration says {}", row.name,
              row.format, declared->second.format);
}

Stream& Engine::add_stream(const StreamRow& row, StreamId last_id) {
  const auto declared = settings_.streams.find(row.name);
  const bool is_declared = declared != settings_.streams.end();
  StreamPart part;
  part.retain = is_declared ? declared->second.retain : settings_.created_stream.retain;
  part.sorted_through = row.sorted_through;
  part.stream = std::make_unique<Stream>(ports_.runtime, committer_, ports_.background,
                                         settings_.stream, StreamMetrics{metrics_.facts_per_commit},
                                         row, IdOrigin{last_id, session_.get()});
  Stream& stream = *part.stream;
  if (delivery_) delivery_->add_stream(stream, part.sorted_through, part.retain);
  if (replicator_) replicator_->watch(stream);
  streams_.emplace(row.name, std::move(part));
  return stream;
}

Async<Result<void>> Engine::create_stream(std::string name, StreamDeclaration declaration) {
  StreamRow row;
  WriterStart start;
  const WallTime now = ports_.runtime.wall_now();
  std::function<Result<void>(SqlConnection&)> apply =
      [&](SqlConnection& connection) -> Result<void> {
    TRY(row, put_stream(connection, name, declaration.format, now));
    if (session_) {
      TRY(start, join_as_writer(connection, row, session_->instance(), {}));
    }
    return {};
  };
  CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
  CO_TRY_VOID(check_format(row));
  if (streams_.contains(name)) co_return Result<void>{};
  if (session_) {
    join_stream(row, start);
    fleet_->look_soon();
  } else {
    add_stream(row, {});
  }
  log_info("stream {}: created with format {}", name, row.format);
  co_return Result<void>{};
}

Async<Result<Stream*>> Engine::stream(std::string name) {
  while (creating_.contains(name)) co_await stream_created_.wait();
  const auto found = streams_.find(name);
  if (found != streams_.end()) co_return found->second.stream.get();
  if (!is_stream_name(name)) {
    co_return fail(Code::not_found,
                   "\"{}\" is not a stream name: 1 to {} of a-z 0-9 _ . - beginning with a letter"
                   " or digit",
                   name, stream_name_bytes_max);
  }
  if (!settings_.auto_create_streams) {
    co_return fail(Code::not_found,
                   "there is no stream \"{}\"; declare it under streams, or set"
                   " append.auto_create_streams",
                   name);
  }
  creating_.insert(name);
  const Result<void> created = co_await create_stream(name, settings_.created_stream);
  creating_.erase(name);
  stream_created_.notify_all();
  if (!created) co_return std::unexpected(created.error());
  co_return streams_.find(name)->second.stream.get();
}

std::vector<Stream*> Engine::streams() const {
  std::vector<Stream*> streams;
  for (const auto& [name, part] : streams_) streams.push_back(part.stream.get());
  return streams;
}

Stream* Engine::find_stream(StreamKey key) const {
  for (const auto& [name, part] : streams_) {
    if (part.stream->key() == key) return part.stream.get();
  }
  return nullptr;
}

void Engine::join_stream(const StreamRow& row, WriterStart start) {
  Stream* stream = find_stream(row.key);
  if (stream == nullptr) {
    stream = &add_stream(row, std::max(row.dropped_through, row.sorted_through));
  }
  stream->begin_session(start);
}

Async<Result<void>> Engine::start_delivery() {
  OutboxDrain::FindStream find_stream = [this](std::string name) {
    return stream(std::move(name));
  };
  auto work = std::make_shared<DeliveryWork>(ports_, committer_, settings_, metrics_,
                                             std::move(find_stream));
  delivery_ = work;
  for (const auto& [name, part] : streams_) {
    work->add_stream(*part.stream, part.sorted_through, part.retain);
  }
  co_return co_await work->start(declared_services_);
}

void Engine::adopt_sessions(const StoredSessions& stored) {
  if (!replicator_) return;
  if (!std::exchange(is_replicating_, true)) replicator_->start(stored.fleet);
  replicator_->adopt(stored.sessions);
}

bool Engine::hears_others() const {
  return replicator_ && replicator_->is_connected();
}

bool Engine::can_deliver() const {
  return !stopping_ && !delivery_ && ended_deliveries_.running() == 0;
}

Async<Result<void>> Engine::begin_delivery() {
  auto read = [this] { return read_streams(ports_.background.connection); };
  CO_TRY(const auto rows, co_await run_on(ports_.background.lane, read));
  if (stopping_) co_return fail(Code::stopping, "the server is stopping");
  for (const StreamRow& row : rows) {
    const auto found = streams_.find(row.name);
    if (found != streams_.end()) found->second.sorted_through = row.sorted_through;
  }
  log_info("this process delivers now");
  Result<void> started = co_await start_delivery();
  if (!started) end_delivery();
  co_return started;
}

void Engine::end_delivery() {
  if (!delivery_) return;
  log_warn("this process no longer delivers");
  delivery_->end_commits();
  leave(std::exchange(delivery_, nullptr));
}

void Engine::leave(std::shared_ptr<DeliveryWork> work) {
  work->request_stop();
  left_.push_back(std::move(work));
  ended_deliveries_.spawn(drain(left_.back().get()), "ended delivery");
}

Async<void> Engine::drain(DeliveryWork* ended) {
  co_await ended->stopped();
  // Nobody waits for it: of two who take facts from an outbox, one is refused.
  left_outboxes_.spawn(leave_outbox(ended), "left outbox");
}

Async<void> Engine::leave_outbox(DeliveryWork* ended) {
  co_await ended->left_outbox();
  left_.erase(std::ranges::find(left_, ended, &std::shared_ptr<DeliveryWork>::get));
}

bool Engine::ask_to_retry(const std::string& service) {
  const bool is_one_line = service.find_first_of("\r\n") == std::string::npos;
  if (!is_one_line || !replicator_ || !replicator_->is_connected()) return false;
  replicator_->say_server_up(service);
  return true;
}

std::string Engine::delivering_instance() const {
  return fleet_ ? fleet_->delivering_instance() : "";
}

Async<void> Engine::stop(Duration grace, std::function<void()> end_requests) {
  stopping_ = true;
  if (delivery_) leave(delivery_);
  const auto timer = ports_.runtime.call_at(ports_.runtime.now() + grace, std::move(end_requests));
  co_await ended_deliveries_.drained();
  ports_.runtime.cancel(timer);
  if (fleet_) co_await fleet_->stop();
  // What was about to begin has ended at once.
  co_await ended_deliveries_.drained();
  if (is_replicating_) replicator_->stop();
  co_await left_outboxes_.drained();
  co_await committer_.stop();
}

std::string Engine::metrics_text() {
  for (const auto& [name, part] : streams_) {
    const auto position = part.stream->linear_position();
    metrics_.linear_position.Add({{"stream", name}}).Set(static_cast<double>(position.value));
    const double lag = delivery_ ? static_cast<double>(delivery_->sort_lag(part.stream->key())) : 0;
    metrics_.sort_lag.Add({{"stream", name}}).Set(lag);
  }
  if (delivery_) refresh_service_gauges();
  return metrics_.text();
}

void Engine::refresh_service_gauges() {
  std::array<double, 3> by_state{};
  double oldest_seconds = 0;
  const WallTime now = ports_.runtime.wall_now();
  for (const auto& [id, service] : delivery_->services().all()) {
    by_state.at(static_cast<std::size_t>(service->delivery.status)) += 1;
    const auto oldest = service->inbox.oldest_appended_at();
    const double age = oldest ? std::max(0.0, seconds(now - *oldest)) : 0;
    if (service->is_pushed()) oldest_seconds = std::max(oldest_seconds, age);
    if (!settings_.per_service_metrics) continue;
    metrics_.service_behind.Add({{"service", id}})
        .Set(static_cast<double>(service->inbox.behind()));
    metrics_.service_oldest_undelivered.Add({{"service", id}}).Set(age);
  }
  for (std::size_t i = 0; i < by_state.size(); ++i) metrics_.services.at(i)->Set(by_state.at(i));
  metrics_.oldest_undelivered_seconds.Set(oldest_seconds);
}

}  // namespace postrider
