#include "postrider/app/serve/server.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "postrider/api/admin_routes.hpp"
#include "postrider/api/health_routes.hpp"
#include "postrider/api/http/http_server.hpp"
#include "postrider/api/public_routes.hpp"
#include "postrider/api/quarantine_routes.hpp"
#include "postrider/app/config/listen_address.hpp"
#include "postrider/app/config/text_rules.hpp"
#include "postrider/app/serve/process_io.hpp"
#include "postrider/base/background_log.hpp"
#include "postrider/base/log.hpp"
#include "postrider/drivers/asio/asio_runtime.hpp"
#include "postrider/drivers/asio/thread_lane.hpp"
#include "postrider/drivers/bus/redis_bus.hpp"
#include "postrider/drivers/bus/tcp_bus.hpp"
#include "postrider/drivers/curl/curl_http_client.hpp"
#include "postrider/drivers/postgres/outbox_connection.hpp"
#include "postrider/drivers/postgres/postgres_database.hpp"
#include "postrider/drivers/sqlite/sqlite_database.hpp"

namespace postrider {
namespace {

CurlHttpClientSettings http_client_settings(const Settings& settings, AddressPolicy policy) {
  CurlHttpClientSettings client = settings.http_client;
  client.user_agent = "postrider/" POSTRIDER_VERSION;
  client.policy = std::move(policy);
  return client;
}

Result<HttpServerSettings> listener_settings(const std::string& listen, const Settings& settings,
                                             Runtime& runtime) {
  TRY(const ListenAddress address, parse_listen_address(listen));
  HttpServerSettings listener = settings.listener;
  listener.address = address.address;
  listener.port = address.port;
  listener.request_id_prefix = fmt::format("{:08x}", runtime.random(std::uint64_t{1} << 32));
  return listener;
}

std::unique_ptr<Bus> make_bus(const Settings& settings, AsioRuntime& runtime) {
  const ReplicationSection& replication = settings.replication;
  if (!is_postgres(settings.database)) return nullptr;
  if (!replication.redis.empty()) {
    return std::make_unique<RedisBus>(runtime.executor(),
                                      parse_redis_url(replication.redis).value());
  }
  const bool listens = !replication.listen.empty();
  const auto place = split_host_and_port(listens ? replication.listen : replication.connect);
  if (!place) return nullptr;
  return std::make_unique<TcpBus>(runtime.executor(),
                                  TcpBusAddress{place->first, place->second, listens});
}

Result<std::unique_ptr<Database>> open_database(const Settings& settings) {
  if (is_postgres(settings.database)) {
    PostgresSettings postgres = settings.postgres;
    postgres.url = settings.database;
    postgres.transaction_idle_max = settings.fleet.session_interval / 2;
    postgres.silence_max = settings.fleet.session_interval;
    TRY(auto database, PostgresDatabase::open(std::move(postgres)));
    return database;
  }
  SqliteSettings sqlite = settings.sqlite;
  sqlite.path = database_file(settings);
  TRY(auto database, SqliteDatabase::open(std::move(sqlite)));
  return database;
}

struct OpenedDatabase {
  std::unique_ptr<Database> database;
  std::unique_ptr<SqlConnection> writer;
  std::unique_ptr<SqlConnection> reader;
};

Result<OpenedDatabase> connect_to_database(const Settings& settings) {
  OpenedDatabase opened;
  TRY(opened.database, open_database(settings));
  TRY(opened.writer, opened.database->connect(Database::Access::read_write));
  TRY(opened.reader, opened.database->connect(Database::Access::read_only));
  return opened;
}

Result<OpenedDatabase> connect_patiently(const Settings& settings,
                                         const Server::WaitForDatabase& wait) {
  while (true) {
    auto opened = connect_to_database(settings);
    if (opened || opened.error().code != Code::storage_unavailable) return opened;
    if (!wait(opened.error())) return opened;
  }
}

/// Only processes on PostgreSQL can be several.
EngineSettings engine_settings(const Settings& settings) {
  EngineSettings engine = settings.engine;
  if (!is_postgres(settings.database)) return engine;
  engine.fleet = settings.fleet;
  engine.fleet->instance_name = settings.postgres.instance_name;
  return engine;
}

}  // namespace

// Members are destroyed from the last to the first: listeners, then the engine, then its world.
struct Server::Parts {
  Parts(const Settings& config, AddressPolicy policy, OpenedDatabase opened)
      : grace(config.stop_grace),
        database(std::move(opened.database)),
        writer_connection(std::move(opened.writer)),
        reader_connection(std::move(opened.reader)),
        http(runtime.executor(), http_client_settings(config, std::move(policy))),
        writer_lane(runtime.executor(), "pr-writer"),
        reader_lane(runtime.executor(), "pr-reader"),
        bus_lane(runtime.executor(), "pr-bus"),
        outbox_lane(runtime.executor(), "pr-outbox"),
        bus(make_bus(config, runtime)),
        outbox{outbox_lane, [url = config.outbox_url] { return open_outbox_connection(url); }},
        engine(EnginePorts{runtime, Reader{writer_lane, *writer_connection},
                           Reader{reader_lane, *reader_connection}, http, bus.get(), &bus_lane,
                           config.outbox_url.empty() ? nullptr : &outbox, storage_written_bytes,
                           log_lines_dropped},
               engine_settings(config)),
        streams(engine),
        appends(engine) {}

  /// Runs a coroutine on the engine thread and waits for it here.
  template <class T>
  T run(Async<T> task) {
    return boost::asio::co_spawn(runtime.executor(), std::move(task), boost::asio::use_future)
        .get();
  }

  Result<void> listen(const Settings& config, const AddressPolicy& policy);
  /// On the engine thread.
  bool is_database_in_place();

  Duration grace;
  std::atomic<bool> ready{false};
  bool was_in_place = true;
  std::unique_ptr<Database> database;
  std::unique_ptr<SqlConnection> writer_connection;
  std::unique_ptr<SqlConnection> reader_connection;
  AsioRuntime runtime;
  CurlHttpClient http;
  ThreadLane writer_lane;
  ThreadLane reader_lane;
  ThreadLane bus_lane;
  ThreadLane outbox_lane;
  std::unique_ptr<Bus> bus;
  OutboxPort outbox;
  Engine engine;
  StreamDirectory streams;
  std::unique_ptr<HttpServer> public_server;
  std::unique_ptr<HttpServer> admin_server;
  AppendQueue appends;
  std::thread engine_thread;
};

bool Server::Parts::is_database_in_place() {
  const bool is_in_place = database->is_in_place();
  if (std::exchange(was_in_place, is_in_place) && !is_in_place) {
    log_error(
        "database: its file is no longer where it was; this process is not ready until it is");
  }
  return is_in_place;
}

Result<void> Server::Parts::listen(const Settings& config, const AddressPolicy& policy) {
  const auto is_ready = [this] {
    return ready.load() && engine.can_commit() && is_database_in_place();
  };
  HttpRouter public_router;
  add_public_routes(public_router, engine, streams, appends, config.public_api);
  add_health_routes(public_router, runtime, is_ready);
  HttpRouter admin_router;
  add_admin_routes(admin_router, engine, policy);
  add_quarantine_routes(admin_router, engine);
  add_health_routes(admin_router, runtime, is_ready);

  TRY(auto public_settings, listener_settings(config.public_listen, config, runtime));
  TRY(auto admin_settings, listener_settings(config.admin_listen, config, runtime));
  admin_settings.threads = 1;
  const std::vector<std::string> admins = {config.tokens.admin};
  const BearerTokens tokens(admins, config.tokens.producers);
  public_server =
      std::make_unique<HttpServer>(std::move(public_settings), std::move(public_router), tokens);
  admin_server =
      std::make_unique<HttpServer>(std::move(admin_settings), std::move(admin_router), tokens);
  TRY_VOID(public_server->start());
  return admin_server->start();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Server>> Server::start(const Settings& settings,
                                              ServiceRegistry::Receivers services,
                                              const WaitForDatabase& wait) {
  TRY(auto policy, AddressPolicy::parse(settings.outbound_allow));
  TRY(auto opened, connect_patiently(settings, wait));
  auto parts = std::make_unique<Parts>(settings, policy, std::move(opened));
  parts->engine_thread = std::thread([&runtime = parts->runtime] { runtime.run(); });
  // From here on, leaving stops what runs.
  std::unique_ptr<Server> server(new Server(std::move(parts)));
  TRY_VOID(server->parts_->run(server->parts_->engine.start(std::move(services))));
  TRY_VOID(server->parts_->listen(settings, policy));
  server->parts_->ready = true;
  return server;
}

Server::~Server() {
  stop();
}

void Server::stop() {
  if (!parts_->engine_thread.joinable()) return;
  parts_->ready = false;
  if (parts_->public_server) parts_->public_server->stop(parts_->grace);
  if (parts_->admin_server) parts_->admin_server->stop(parts_->grace);
  parts_->appends.hand_over();
  parts_->run(parts_->engine.stop(parts_->grace, [this] { parts_->http.stop(); }));
  parts_->http.stop();
  parts_->runtime.stop();
  parts_->engine_thread.join();
}

std::string Server::public_address() const {
  return parts_->public_server->address();
}
std::string Server::admin_address() const {
  return parts_->admin_server->address();
}

}  // namespace postrider
