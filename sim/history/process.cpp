#include "sim/history/process.hpp"

#include "sim/history/documents.hpp"
#include "sim/history/remote_connection.hpp"

namespace postrider::sim {
namespace {

constexpr Duration stop_grace = std::chrono::seconds{5};

std::unique_ptr<SqlConnection> through_network(const Process::World& world,
                                               std::unique_ptr<SqlConnection> connection,
                                               Random random) {
  if (!world.plan.remote.any()) return connection;
  return std::make_unique<RemoteConnection>(std::move(connection), world.timeline, world.remote,
                                            random);
}

EngineSettings settings_of(const Process::World& world) {
  EngineSettings settings = world.plan.engine;
  if (settings.fleet) settings.fleet->instance_name = world.instance_name;
  return settings;
}

std::unique_ptr<SimulatedBus> bus_of(const Process::World& world, VirtualRuntime& runtime) {
  return world.plan.has_bus ? std::make_unique<SimulatedBus>(runtime, world.air) : nullptr;
}

Async<bool> stop_engine(Engine* engine, SimulatedHttpClient* http) {
  std::function<void()> end_requests = [http] { http->end_requests(); };
  co_await engine->stop(stop_grace, std::move(end_requests));
  co_return true;
}

}  // namespace

Process::Process(World world, std::unique_ptr<SqliteDatabase> database,
                 std::unique_ptr<SqlConnection> writer, std::unique_ptr<SqlConnection> reader,
                 Random random)
    : world_(world),
      database_(std::move(database)),
      writer_(through_network(world, std::move(writer), Random(random.next(), "remote writer"))),
      reader_(through_network(world, std::move(reader), Random(random.next(), "remote reader"))),
      scale_{world.held_bytes},
      runtime_(world.timeline, Random(random.next())),
      writer_lane_(runtime_, Random(random.next(), "writer"), world.plan.disk_pace),
      reader_lane_(runtime_, Random(random.next(), "reader"), world.plan.disk_pace),
      bus_lane_(runtime_, Random(random.next(), "bus"), world.plan.disk_pace),
      bus_(bus_of(world, runtime_)),
      http_(runtime_, world.network, world.judge, world.number, world.plan.network.longest_connect,
            Random(random.next(), "connect")),
      engine_(EnginePorts{runtime_, Reader{writer_lane_, *writer_}, Reader{reader_lane_, *reader_},
                          http_, bus_.get(), &bus_lane_},
              settings_of(world)) {}

Process::~Process() {
  scale_.before = allocated_bytes();
  runtime_.end();
  http_.end();
  writer_lane_.drop_jobs();
  reader_lane_.drop_jobs();
  bus_lane_.drop_jobs();
}

void Process::start(std::function<void(std::optional<Result<void>>)> done) {
  ServiceRegistry::Receivers declared;
  for (const auto& [id, number] : world_.file) declared.push_back(declared_receiver(id, number));
  call<Result<void>>(engine_.start(std::move(declared)), std::move(done));
}

void Process::stop(std::function<void(std::optional<bool>)> done) {
  call<bool>(stop_engine(&engine_, &http_), std::move(done));
}

}  // namespace postrider::sim
