#include "postrider/engine/engine.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"
#include "postrider/base/log.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/stream/event_format.hpp"

namespace postrider {
namespace {

struct StoredStream {
  StreamRow row;
  StreamId last_id;
};

/// All that the engine keeps in memory from the start on.
struct Stored {
  std::vector<StoredStream> streams;
  std::vector<StoredService> services;
  std::vector<InboxEnd> inbox_ends;
};

Result<Stored> read_stored(SqlConnection& connection) {
  Stored stored;
  TRY(auto rows, read_streams(connection));
  for (StreamRow& row : rows) {
    TRY(const auto last, last_stored_id(connection, row.key));
    const StreamId last_id =
        std::max({row.dropped_through, row.sorted_through, last.value_or(StreamId{})});
    stored.streams.push_back({std::move(row), last_id});
  }
  TRY(stored.services, read_services(connection));
  TRY(stored.inbox_ends, read_inbox_ends(connection));
  return stored;
}

}  // namespace

Engine::Engine(EnginePorts ports, EngineSettings settings)
    : ports_(ports),
      settings_(std::move(settings)),
      committer_(ports.runtime, ports.writer.lane, ports.writer.connection, metrics_.committer()),
      controller_(
          ports.runtime, committer_, ports.background, ports.http,
          [this](StreamKey key) { return find_stream(key); }, settings_.delivery,
          metrics_.delivery()),
      registry_(ports.runtime, committer_, controller_, settings_.services_max),
      retention_(
          ports.runtime, committer_, ports.background, [this] { return retention_subjects(); },
          settings_.stream.idempotency_retain, metrics_.facts_dropped),
      stream_created_(ports.runtime) {}

Engine::~Engine() = default;

Async<Result<void>> Engine::start(std::vector<Registration> declared_services) {
  committer_.start();
  CO_TRY_VOID(co_await load());
  for (const auto& [name, declaration] : settings_.streams) {
    if (streams_.contains(name)) continue;
    CO_TRY_VOID(co_await create_stream(name, declaration));
  }
  CO_TRY_VOID(co_await registry_.reconcile(std::move(declared_services)));
  for (const auto& [name, parts] : streams_) parts.sorter->start();
  registry_.start_delivery();
  retention_.start();
  co_return Result<void>{};
}

Async<Result<void>> Engine::load() {
  auto work = [this] { return read_stored(ports_.writer.connection); };
  CO_TRY(auto stored, co_await run_on(ports_.writer.lane, work));
  for (StoredStream& stream : stored.streams) {
    const auto declared = settings_.streams.find(stream.row.name);
    const bool is_declared = declared != settings_.streams.end();
    if (is_declared && declared->second.format != stream.row.format) {
      co_return fail(Code::storage_incompatible,
                     "stream \"{}\" holds facts of format {}, and the configuration says {}",
                     stream.row.name, stream.row.format, declared->second.format);
    }
    add_stream(std::move(stream.row), stream.last_id,
               is_declared ? declared->second.retain : settings_.created_stream.retain);
  }
  co_return registry_.load(std::move(stored.services), stored.inbox_ends, settings_.registration);
}

void Engine::add_stream(StreamRow row, StreamId last_id, Duration retain) {
  StreamParts parts;
  const std::string name = row.name;
  const StreamId sorted_through = row.sorted_through;
  parts.retain = retain;
  parts.stream =
      std::make_unique<Stream>(ports_.runtime, committer_, ports_.background, settings_.stream,
                               StreamMetrics{metrics_.facts_per_commit}, std::move(row), last_id);
  parts.sorter = std::make_unique<Sorter>(
      ports_.runtime, committer_, ports_.background, *parts.stream, registry_,
      SorterSettings{settings_.sort_facts_max, settings_.server_name},
      SorterMetrics{metrics_.facts_sorted, metrics_.inbox_entries}, sorted_through);
  streams_.emplace(name, std::move(parts));
}

Async<Result<void>> Engine::create_stream(std::string name, StreamDeclaration declaration) {
  StreamRow row{.key = {},
                .name = name,
                .format = declaration.format,
                .sorted_through = {},
                .dropped_through = {}};
  const WallTime now = ports_.runtime.wall_now();
  std::function<Result<void>(SqlConnection&)> apply =
      [&row, now](SqlConnection& connection) -> Result<void> {
    TRY(row.key, insert_stream(connection, row.name, row.format, now));
    return {};
  };
  CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
  add_stream(std::move(row), {}, declaration.retain);
  log_info("stream {}: created with format {}", name, declaration.format);
  co_return Result<void>{};
}

Async<Result<Stream*>> Engine::stream(std::string name) {
  while (creating_.contains(name)) co_await stream_created_.wait();
  const auto found = streams_.find(name);
  if (found != streams_.end()) co_return found->second.stream.get();
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
  const auto& parts = streams_.find(name)->second;
  parts.sorter->start();
  co_return parts.stream.get();
}

std::vector<Stream*> Engine::streams() const {
  std::vector<Stream*> streams;
  for (const auto& [name, parts] : streams_) streams.push_back(parts.stream.get());
  return streams;
}

Stream* Engine::find_stream(StreamKey key) const {
  for (const auto& [name, parts] : streams_) {
    if (parts.stream->key() == key) return parts.stream.get();
  }
  return nullptr;
}

std::vector<Retention::Subject> Engine::retention_subjects() const {
  std::vector<Retention::Subject> subjects;
  for (const auto& [name, parts] : streams_) {
    subjects.push_back({parts.stream.get(), parts.sorter->sorted_through(), parts.retain});
  }
  return subjects;
}

Async<void> Engine::stop(Duration grace, std::function<void()> end_requests) {
  controller_.request_stop();
  const auto timer = ports_.runtime.call_at(ports_.runtime.now() + grace, std::move(end_requests));
  for (const auto& [name, parts] : streams_) co_await parts.sorter->stop();
  co_await retention_.stop();
  co_await controller_.gate().drained();
  ports_.runtime.cancel(timer);
  co_await committer_.stop();
}

std::int64_t Engine::sort_lag(std::string_view stream) const {
  const auto found = streams_.find(stream);
  POSTRIDER_ASSERT(found != streams_.end(), "no stream {}", stream);
  const StreamParts& parts = found->second;
  return parts.stream->linear_position().value - parts.sorter->sorted_through().value;
}

std::string Engine::metrics_text() {
  for (const auto& [name, parts] : streams_) {
    const auto position = parts.stream->linear_position();
    metrics_.linear_position.Add({{"stream", name}}).Set(static_cast<double>(position.value));
    metrics_.sort_lag.Add({{"stream", name}}).Set(static_cast<double>(sort_lag(name)));
  }
  refresh_service_gauges();
  return metrics_.text();
}

void Engine::refresh_service_gauges() {
  std::array<double, 3> by_state{};
  double oldest_seconds = 0;
  const WallTime now = ports_.runtime.wall_now();
  for (const auto& [id, service] : registry_.all()) {
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
