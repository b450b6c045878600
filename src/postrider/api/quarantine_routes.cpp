#include "postrider/api/quarantine_routes.hpp"

#include <charconv>
#include <string>
#include <utility>

#include <boost/json/serialize.hpp>

#include "postrider/api/engine_call.hpp"
#include "postrider/api/http/problem.hpp"
#include "postrider/api/service_view.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

/// Where an entry begins.
struct Place {
  std::string stream;
  StreamId first;
};

Result<Place> place_of(const HttpServerRequest& request) {
  const std::string_view text = request.path_parameter("first");
  std::int64_t first = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, first);
  if (rest != end || error != std::errc{} || first < 1) {
    return fail(Code::invalid_argument,
                "\"{}\" is not the ID of a fact, which is a number from 1 on", text);
  }
  return Place{std::string(request.path_parameter("stream")), StreamId{first}};
}

json::object view_of(const QuarantineDesk::List& list) {
  json::array entries;
  for (const QuarantineEntry& entry : list.entries) {
    entries.push_back(json::object{{"stream", entry.stream},
                                   {"first", entry.ids.first.value},
                                   {"last", entry.ids.last.value},
                                   {"cause", entry.cause},
                                   {"found_at", utc_text(entry.found_at)}});
  }
  return {{"entries", std::move(entries)}, {"more", list.has_more}};
}

Async<HttpServerResponse> list(Engine& engine, HttpServerRequest& request) {
  const auto list = co_await on_engine(engine.runtime(), engine.quarantine().list());
  if (!list) co_return problem_response(list.error(), request.request_id);
  co_return json_response(200, json::serialize(view_of(*list)));
}

Async<HttpServerResponse> retry(Engine& engine, HttpServerRequest& request) {
  auto place = place_of(request);
  if (!place) co_return problem_response(place.error(), request.request_id);
  const auto receipt = co_await on_engine(
      engine.runtime(), engine.quarantine().retry(std::move(place->stream), place->first));
  if (!receipt) co_return problem_response(receipt.error(), request.request_id);
  const json::object answer = {{"first", receipt->first.value},
                               {"last", receipt->last.value},
                               {"count", receipt->fact_count},
                               {"token", receipt->token.token()}};
  co_return json_response(200, json::serialize(answer));
}

Async<HttpServerResponse> drop(Engine& engine, HttpServerRequest& request) {
  auto place = place_of(request);
  if (!place) co_return problem_response(place.error(), request.request_id);
  const auto dropped = co_await on_engine(
      engine.runtime(), engine.quarantine().drop(std::move(place->stream), place->first));
  if (!dropped) co_return problem_response(dropped.error(), request.request_id);
  HttpServerResponse gone;
  gone.status = 204;
  co_return gone;
}

}  // namespace

void add_quarantine_routes(HttpRouter& router, Engine& engine) {
  const auto add = [&](std::string method, std::string path, std::uint64_t body_bytes_max,
                       Async<HttpServerResponse> (*handler)(Engine&, HttpServerRequest&)) {
    HttpRoute route{std::move(method), std::move(path), Role::admin, body_bytes_max};
    route.handler = [&engine, handler](HttpServerRequest& request) {
      return handler(engine, request);
    };
    router.add(std::move(route));
  };
  const std::string entry = "/v1/quarantine/{stream}/{first}";
  add("GET", "/v1/quarantine", 0, list);
  add("POST", entry + "/retry", 1024, retry);
  add("DELETE", entry, 0, drop);
}

}  // namespace postrider
