// One HTTP request, as far as our own code reads it, to a server with one stream: the first line is
// the method and the target, then headers, an empty line, and the body. Whatever is refused is
// refused with a problem document, and nothing is answered 500.
#include <memory>
#include <optional>

#include "fuzz/input.hpp"
#include <boost/json/parse.hpp>

#include "postrider/api/admin_routes.hpp"
#include "postrider/api/http/target.hpp"
#include "postrider/api/public_routes.hpp"
#include "postrider/base/assert.hpp"
#include "postrider/base/log.hpp"
#include "postrider/drivers/sqlite/sqlite_database.hpp"
#include "sim/disk/disk_vfs.hpp"
#include "sim/scripted_receiver.hpp"
#include "sim/world/run.hpp"

namespace postrider {
namespace {

constexpr int requests_per_server = 200;

/// The engine and its routes, on a disk in memory.
class FuzzedServer {
 public:
  FuzzedServer() {
    sim::run(runtime_, start(&engine_));
    add_public_routes(router_, engine_, streams_, appends_, {});
    add_admin_routes(router_, engine_, AddressPolicy::parse({}).value());
  }
  FuzzedServer(const FuzzedServer&) = delete;
  FuzzedServer& operator=(const FuzzedServer&) = delete;
  ~FuzzedServer() { runtime_.end(); }

  std::optional<HttpServerResponse> answer(HttpServerRequest& request) {
    const auto found = router_.find(request);
    if (found.route == nullptr || request.body.size() > found.route->body_bytes_max) return {};
    return sim::run(runtime_, handle(found.route, &request));
  }

 private:
  static Async<bool> start(Engine* engine) {
    ServiceRegistry::Receivers none;
    const auto started = co_await engine->start(std::move(none));
    POSTRIDER_ASSERT(started, "{}", started.error().detail);
    co_return true;
  }
  static Async<HttpServerResponse> handle(const HttpRoute* route, HttpServerRequest* request) {
    co_return co_await route->handler(*request);
  }
  static EngineSettings settings() {
    EngineSettings settings;
    settings.streams.declared["events"] = {};
    settings.streams.auto_create = true;
    return settings;
  }

  sim::Disk disk_{sim::Random(1)};
  sim::DiskVfs vfs_{"fuzzed", disk_, sim::Random(2)};
  std::unique_ptr<SqliteDatabase> database_ =
      SqliteDatabase::open({.path = "/p.db", .vfs = vfs_.name()}).value();
  std::unique_ptr<SqlConnection> writer_ =
      database_->connect(SqliteDatabase::Access::read_write).value();
  std::unique_ptr<SqlConnection> reader_ =
      database_->connect(SqliteDatabase::Access::read_only).value();
  sim::VirtualRuntime runtime_;
  sim::InlineLane lane_{runtime_};
  sim::ScriptedReceiver receiver_{runtime_};
  Engine engine_{EnginePorts{runtime_, {lane_, *writer_}, {lane_, *reader_}, receiver_},
                 settings()};
  StreamDirectory streams_{engine_};
  AppendQueue appends_{engine_};
  HttpRouter router_;
};

bool read_request(FuzzInput input, HttpServerRequest& request) {
  const std::string_view line = input.take_line();
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return false;
  request.method = line.substr(0, blank);
  if (!parse_target(line.substr(blank + 1), request)) return false;
  for (auto header = input.take_line(); !header.empty(); header = input.take_line()) {
    const std::size_t colon = header.find(": ");
    if (colon == std::string_view::npos) return false;
    request.headers.insert(header.substr(0, colon), header.substr(colon + 2));
  }
  request.body.reserve(input.rest().size() + 64);
  request.body = input.rest();
  request.watch_client = [](const std::function<void()>&) {};
  request.request_id = "fuzzed";
  return true;
}

void check(const HttpServerResponse& response) {
  POSTRIDER_ASSERT(response.status != 500, "500: {}", response.body);
  boost::system::error_code error;
  if (response.content_type.contains("json") && !response.source) {
    const auto document = boost::json::parse(response.body, error);
    POSTRIDER_ASSERT(!error, "{} is not JSON", response.body);
    if (response.status < 400) return;
    POSTRIDER_ASSERT(document.at("status").as_int64() == response.status, "{}", response.body);
  }
  POSTRIDER_ASSERT(
      response.status < 400 || response.content_type.contains("application/problem+json"),
      "{} without a problem document", response.status);
}

}  // namespace
}  // namespace postrider

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  static std::unique_ptr<FuzzedServer> server;
  static int answered = 0;
  if (server == nullptr || ++answered % requests_per_server == 0) {
    set_log(LogLevel::off, LogFormat::text);
    server.reset();
    server = std::make_unique<FuzzedServer>();
  }
  HttpServerRequest request;
  if (!read_request(FuzzInput(data, size), request)) return 0;
  if (const auto response = server->answer(request)) check(*response);
  return 0;
}
