#include "postrider/api/admin_routes.hpp"

#include <array>
#include <memory>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/url/parse.hpp>
#include <openssl/rand.h>

#include "postrider/api/engine_call.hpp"
#include "postrider/api/http/problem.hpp"
#include "postrider/api/service_view.hpp"
#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

constexpr std::uint64_t document_bytes_max = 16U << 20;

std::string draw_bytes() {
  std::array<unsigned char, 24> bytes{};
  POSTRIDER_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1,
                   "no random bytes");
  return {bytes.begin(), bytes.end()};
}

/// Handlers of one server; shared by its routes.
class AdminApi {
 public:
  AdminApi(Engine& engine, AddressPolicy policy) : engine_(engine), policy_(std::move(policy)) {}

  Async<HttpServerResponse> list(HttpServerRequest& request);
  Async<HttpServerResponse> show(HttpServerRequest& request);
  Async<HttpServerResponse> put(HttpServerRequest& request);
  Async<HttpServerResponse> remove(HttpServerRequest& request);
  Async<HttpServerResponse> pause(HttpServerRequest& request);
  Async<HttpServerResponse> resume(HttpServerRequest& request);
  Async<HttpServerResponse> retry(HttpServerRequest& request);
  Async<HttpServerResponse> ping(HttpServerRequest& request);
  Async<HttpServerResponse> streams(HttpServerRequest& request);
  Async<HttpServerResponse> metrics(HttpServerRequest& request);

 private:
  struct Parsed {
    std::shared_ptr<const Receiver> receiver;
    json::object drawn;  ///< secrets that the document left out, to be shown once
  };
  [[nodiscard]] Result<Parsed> parse(const HttpServerRequest& request,
                                     const json::object& existing) const;
  /// With its secrets; empty when there is none.
  Async<Result<json::object>> document_on_engine(std::string id);
  [[nodiscard]] Result<void> check_address(const Receiver& receiver) const;
  /// The services, while this process delivers to them.
  [[nodiscard]] Result<std::shared_ptr<DeliveryWork>> delivery() const;
  Async<Result<json::object>> list_on_engine();
  Async<Result<json::object>> show_on_engine(std::string id);
  Async<Result<ServiceRegistry::Put>> put_on_engine(std::shared_ptr<const Receiver> receiver);
  using Change = Async<Result<void>> (ServiceRegistry::*)(std::string id);
  Async<Result<void>> change_on_engine(Change change, std::string id);
  Async<Result<void>> retry_on_engine(std::string id);
  Async<Result<json::object>> ping_on_engine(std::string id);
  Async<Result<json::object>> streams_on_engine();
  Async<std::vector<std::string>> warnings_on_engine(const Receiver* receiver);
  Async<std::string> ask_to_retry(std::string id);
  Async<std::string> metrics_on_engine();
  Async<HttpServerResponse> changed(HttpServerRequest& request, Async<Result<void>> change);

  Engine& engine_;
  AddressPolicy policy_;
};

std::string id_of(const HttpServerRequest& request) {
  return std::string(request.path_parameter("id"));
}

Result<std::shared_ptr<DeliveryWork>> AdminApi::delivery() const {
  if (auto delivery = engine_.delivery()) return delivery;
  const std::string instance = engine_.delivering_instance();
  if (instance.empty()) {
    return fail(Code::not_delivering, "no process delivers to services just now; try again");
  }
  return fail(Code::not_delivering, "instance {} delivers to services; ask its admin API",
              instance);
}

Async<Result<json::object>> AdminApi::list_on_engine() {
  CO_TRY(const auto delivery, this->delivery());
  json::array services;
  const WallTime now = engine_.runtime().wall_now();
  for (const auto& [id, service] : delivery->services().all()) {
    services.push_back(service_view(*service, now));
  }
  json::object answer;
  answer["services"] = std::move(services);
  co_return answer;
}

Async<HttpServerResponse> AdminApi::list(HttpServerRequest& request) {
  const auto answer = co_await on_engine(engine_.runtime(), list_on_engine());
  if (!answer) co_return problem_response(answer.error(), request.request_id);
  co_return json_response(200, json::serialize(*answer));
}

Async<Result<json::object>> AdminApi::show_on_engine(std::string id) {
  CO_TRY(const auto delivery, this->delivery());
  const auto service = delivery->services().find(id);
  if (!service) co_return fail(Code::not_found, "there is no service \"{}\"", id);
  co_return service_view(*service, engine_.runtime().wall_now());
}

Async<HttpServerResponse> AdminApi::show(HttpServerRequest& request) {
  const auto view = co_await on_engine(engine_.runtime(), show_on_engine(id_of(request)));
  if (!view) co_return problem_response(view.error(), request.request_id);
  co_return json_response(200, json::serialize(*view));
}

Async<Result<json::object>> AdminApi::document_on_engine(std::string id) {
  CO_TRY(const auto delivery, this->delivery());
  const auto service = delivery->services().find(id);
  co_return service ? service->receiver->document(Secrets::show) : json::object();
}

Result<AdminApi::Parsed> AdminApi::parse(const HttpServerRequest& request,
                                         const json::object& existing) const {
  boost::system::error_code error;
  json::value document = json::parse(request.body, error);
  if (error) return fail(Code::malformed_json, "the document is not JSON: {}", error.message());
  TRY(const ReceiverKind* kind, engine_.kinds().of(document));
  json::object& object = document.get_object();
  if (!object.contains("id")) object["id"] = id_of(request);
  for (const std::string_view member : kind->secret_members()) {
    const json::value* kept = existing.if_contains(member);
    if (kept != nullptr && !object.contains(member)) object[member] = *kept;
  }
  Parsed parsed;
  parsed.drawn = kind->draw_secrets(object, draw_bytes);
  TRY(parsed.receiver, kind->parse(object));
  if (parsed.receiver->id() != id_of(request)) {
    Error mismatch{Code::invalid_argument,
                   fmt::format("the document is of service \"{}\" and the path of \"{}\"",
                               parsed.receiver->id(), id_of(request))};
    mismatch.fields = {{"/id", "must be the one in the path"}};
    return std::unexpected(std::move(mismatch));
  }
  TRY_VOID(check_address(*parsed.receiver));
  return parsed;
}

Result<void> AdminApi::check_address(const Receiver& receiver) const {
  if (!receiver.url()) return {};
  const auto url = boost::urls::parse_uri(*receiver.url());
  const bool literal = url && (url->host_type() == boost::urls::host_type::ipv4 ||
                               url->host_type() == boost::urls::host_type::ipv6);
  if (!literal || policy_.allows(std::string(url->host_address()))) return {};
  Error error{Code::invalid_argument,
              fmt::format("{} may not be connected to; add it to outbound.allow if this receiver is"
                          " yours",
                          std::string(url->host_address()))};
  error.fields = {{"/url", "address refused by outbound.allow"}};
  return std::unexpected(std::move(error));
}

Async<HttpServerResponse> AdminApi::put(HttpServerRequest& request) {
  const auto existing = co_await on_engine(engine_.runtime(), document_on_engine(id_of(request)));
  if (!existing) co_return problem_response(existing.error(), request.request_id);
  auto parsed = parse(request, *existing);
  if (!parsed) co_return problem_response(parsed.error(), request.request_id);
  const auto warnings =
      co_await on_engine(engine_.runtime(), warnings_on_engine(parsed->receiver.get()));
  const auto done =
      co_await on_engine(engine_.runtime(), put_on_engine(std::move(parsed->receiver)));
  if (!done) co_return problem_response(done.error(), request.request_id);
  auto view = co_await on_engine(engine_.runtime(), show_on_engine(id_of(request)));
  if (!view) co_return problem_response(view.error(), request.request_id);
  for (const auto& drawn : parsed->drawn) (*view)[drawn.key()] = drawn.value();
  (*view)["warnings"] = json::value_from(warnings);
  const int status = *done == ServiceRegistry::Put::created ? 201 : 200;
  co_return json_response(status, json::serialize(*view));
}

Async<HttpServerResponse> AdminApi::changed(HttpServerRequest& request,
                                            Async<Result<void>> change) {
  const Result<void> done = co_await on_engine(engine_.runtime(), std::move(change));
  if (!done) co_return problem_response(done.error(), request.request_id);
  const auto view = co_await on_engine(engine_.runtime(), show_on_engine(id_of(request)));
  if (view) co_return json_response(200, json::serialize(*view));
  if (view.error().code != Code::not_found) {
    co_return problem_response(view.error(), request.request_id);
  }
  HttpServerResponse gone;
  gone.status = 204;
  co_return gone;
}

Async<Result<ServiceRegistry::Put>> AdminApi::put_on_engine(
    std::shared_ptr<const Receiver> receiver) {
  CO_TRY(const auto delivery, this->delivery());
  co_return co_await delivery->services().put(std::move(receiver), ServiceSource::api);
}

Async<Result<void>> AdminApi::change_on_engine(Change change, std::string id) {
  CO_TRY(const auto delivery, this->delivery());
  co_return co_await (delivery->services().*change)(std::move(id));
}

/// The instance that was asked; empty when it is this one or cannot be.
Async<std::string> AdminApi::ask_to_retry(std::string id) {
  const std::string instance = engine_.delivering_instance();
  const bool is_asked = !engine_.delivery() && !instance.empty() && engine_.ask_to_retry(id);
  co_return is_asked ? instance : "";
}

Async<Result<void>> AdminApi::retry_on_engine(std::string id) {
  CO_TRY(const auto delivery, this->delivery());
  co_return delivery->services().retry(id);
}

Async<HttpServerResponse> AdminApi::remove(HttpServerRequest& request) {
  return changed(request, change_on_engine(&ServiceRegistry::remove, id_of(request)));
}

Async<HttpServerResponse> AdminApi::pause(HttpServerRequest& request) {
  return changed(request, change_on_engine(&ServiceRegistry::pause, id_of(request)));
}

Async<HttpServerResponse> AdminApi::resume(HttpServerRequest& request) {
  return changed(request, change_on_engine(&ServiceRegistry::resume, id_of(request)));
}

/// Any process takes it, and tells the one that delivers.
Async<HttpServerResponse> AdminApi::retry(HttpServerRequest& request) {
  const auto asked = co_await on_engine(engine_.runtime(), ask_to_retry(id_of(request)));
  if (!asked.empty()) {
    const json::object answer = {{"asked", asked}};
    co_return json_response(202, json::serialize(answer));
  }
  co_return co_await changed(request, retry_on_engine(id_of(request)));
}

Async<std::vector<std::string>> AdminApi::warnings_on_engine(const Receiver* receiver) {
  co_return engine_.warnings(*receiver);
}

Async<Result<json::object>> AdminApi::ping_on_engine(std::string id) {
  CO_TRY(const auto delivery, this->delivery());
  const auto service = delivery->services().find(id);
  if (!service) co_return fail(Code::not_found, "there is no service \"{}\"", id);
  if (!service->is_pushed()) {
    co_return fail(Code::conflict, "service \"{}\" has no url, so nothing is sent to it", id);
  }
  const auto ping = co_await delivery->ping(service);
  json::object answer = {{"id", id}, {"state", name_of(service->delivery.status)}};
  answer["status"] = nullptr;
  if (ping.status) answer["status"] = *ping.status;
  answer["duration_ms"] = std::chrono::round<std::chrono::milliseconds>(ping.duration).count();
  answer["error"] = nullptr;
  if (!ping.cause.empty()) answer["error"] = ping.cause;
  co_return answer;
}

/// The answer is 200 also when the receiver's is not: the request was done.
Async<HttpServerResponse> AdminApi::ping(HttpServerRequest& request) {
  const auto answer = co_await on_engine(engine_.runtime(), ping_on_engine(id_of(request)));
  if (!answer) co_return problem_response(answer.error(), request.request_id);
  co_return json_response(200, json::serialize(*answer));
}

Async<Result<json::object>> AdminApi::streams_on_engine() {
  CO_TRY(const auto rows, co_await engine_.stored_streams());
  json::array streams;
  for (const StreamRow& row : rows) {
    const Stream* const stream = engine_.streams().find(row.key);
    json::object view = {{"name", row.name}, {"format", row.format}};
    view["position"] = nullptr;
    if (stream != nullptr) view["position"] = stream->linear_position().value;
    view["sorted_through"] = row.sorted_through.value;
    view["dropped_through"] = row.dropped_through.value;
    view["facts_unwanted"] = row.facts_unwanted;
    streams.push_back(std::move(view));
  }
  co_return json::object{{"streams", std::move(streams)}};
}

Async<HttpServerResponse> AdminApi::streams(HttpServerRequest& request) {
  const auto answer = co_await on_engine(engine_.runtime(), streams_on_engine());
  if (!answer) co_return problem_response(answer.error(), request.request_id);
  co_return json_response(200, json::serialize(*answer));
}

Async<std::string> AdminApi::metrics_on_engine() {
  co_return engine_.metrics_text();
}

Async<HttpServerResponse> AdminApi::metrics(HttpServerRequest&) {
  HttpServerResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = co_await on_engine(engine_.runtime(), metrics_on_engine());
  co_return response;
}

}  // namespace

void add_admin_routes(HttpRouter& router, Engine& engine, AddressPolicy policy) {
  const auto api = std::make_shared<AdminApi>(engine, std::move(policy));
  const auto add = [&](std::string method, std::string path, Role role,
                       std::uint64_t body_bytes_max,
                       Async<HttpServerResponse> (AdminApi::*handler)(HttpServerRequest&)) {
    HttpRoute route{std::move(method), std::move(path), role, body_bytes_max};
    route.handler = [api, handler](HttpServerRequest& request) { return (*api.*handler)(request); };
    router.add(std::move(route));
  };
  const std::string service = "/v1/services/{id}";
  add("GET", "/v1/services", Role::admin, 0, &AdminApi::list);
  add("GET", service, Role::admin, 0, &AdminApi::show);
  add("PUT", service, Role::admin, document_bytes_max, &AdminApi::put);
  add("DELETE", service, Role::admin, 0, &AdminApi::remove);
  add("POST", service + "/pause", Role::admin, 1024, &AdminApi::pause);
  add("POST", service + "/resume", Role::admin, 1024, &AdminApi::resume);
  add("POST", service + "/ping", Role::admin, 1024, &AdminApi::ping);
  add("GET", "/v1/streams", Role::admin, 0, &AdminApi::streams);
  add("POST", service + "/retry", Role::admin, 1024, &AdminApi::retry);
  add("GET", "/metrics", Role::none, 0, &AdminApi::metrics);
}

}  // namespace postrider
