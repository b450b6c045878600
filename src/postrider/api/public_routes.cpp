#include "postrider/api/public_routes.hpp"

#include <array>
#include <charconv>
#include <memory>

#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/sha.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "postrider/api/engine_call.hpp"
#include "postrider/api/explanation.hpp"
#include "postrider/api/follow.hpp"
#include "postrider/api/follow_feed.hpp"
#include "postrider/api/http/problem.hpp"
#include "postrider/api/http/utf8.hpp"
#include "postrider/api/stream_page.hpp"

namespace postrider {
namespace {

constexpr std::size_t idempotency_key_bytes_max = 255;
// One answer of a read ends after this many payload bytes, whatever its limit of facts.
constexpr std::size_t read_bytes_max = 4U << 20;

/// Handlers of one server; shared by its routes.
class PublicApi {
 public:
  PublicApi(Engine& engine, StreamDirectory& streams, AppendQueue& appends,
            PublicApiSettings settings)
      : engine_(engine), streams_(streams), appends_(appends), settings_(settings) {}

  Async<HttpServerResponse> append(HttpServerRequest& request);
  Async<HttpServerResponse> read(HttpServerRequest& request);
  Async<HttpServerResponse> follow(HttpServerRequest& request);
  Async<HttpServerResponse> position(HttpServerRequest& request);

 private:
  struct Appended {
    AppendReceipt receipt;
    std::optional<boost::json::value> explanation;  ///< when it was asked for
  };
  Async<Result<Appended>> append_body(HttpServerRequest& request);
  Async<Result<AppendReceipt>> append_on_engine(Stream* stream,
                                                std::shared_ptr<const FactBatch> facts,
                                                std::optional<IdempotencyKey> key);
  Async<Result<Appended>> append_explained(Stream* stream, std::shared_ptr<const FactBatch> facts,
                                           std::optional<IdempotencyKey> key);
  Async<Result<std::string>> read_page(HttpServerRequest& request);
  Async<Result<std::string>> read_position(HttpServerRequest& request);
  Async<StreamId> position_on_engine(Stream* stream);
  Async<Result<ReadPlace>> reach_on_engine(Stream* stream, HttpServerRequest& request,
                                           Duration wait, std::shared_ptr<const bool> has_gone);
  /// Waits for the parameter `at_least`, as long as the client does.
  Async<Result<ReadPlace>> reach_place(Stream* stream, HttpServerRequest& request);
  [[nodiscard]] Result<std::size_t> read_limit(const HttpServerRequest& request) const;

  Engine& engine_;
  StreamDirectory& streams_;
  AppendQueue& appends_;
  PublicApiSettings settings_;
  FollowFeeds feeds_;
};

Result<BodyKind> body_kind(const HttpServerRequest& request) {
  std::string_view type = request.header("Content-Type").value_or("");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (type == "application/json") return BodyKind::json;
  const bool is_lines =
      type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl";
  if (is_lines) return BodyKind::ndjson;
  if (type.empty()) {
    return fail(Code::unsupported_media_type,
                "the request has no content type; send the header Content-Type: application/json,"
                " or application/x-ndjson for a fact on each line");
  }
  if (type == "application/x-www-form-urlencoded") {
    return fail(Code::unsupported_media_type,
                "the content type is that of a form, as curl -d sends it; send the header"
                " Content-Type: application/json (curl --json does)");
  }
  return fail(Code::unsupported_media_type,
              "content type \"{}\"; send the header Content-Type: application/json, or"
              " application/x-ndjson for a fact on each line",
              type);
}

Result<bool> wants_explanation(const HttpServerRequest& request) {
  const auto text = request.query_parameter("explain");
  if (!text || *text == "false") return false;
  if (*text == "true") return true;
  return fail(Code::invalid_argument, "explain=\"{}\" must be true or false", *text);
}

Result<std::optional<IdempotencyKey>> idempotency_key(const HttpServerRequest& request) {
  const auto key = request.header("Idempotency-Key");
  if (!key) return std::nullopt;
  if (key->empty() || key->size() > idempotency_key_bytes_max) {
    return fail(Code::invalid_argument, "Idempotency-Key must be 1 to {} bytes long, and has {}",
                idempotency_key_bytes_max, key->size());
  }
  if (const std::string readable = valid_utf8(*key); readable != *key) {
    return fail(Code::invalid_argument, "Idempotency-Key \"{}\" is not UTF-8", readable);
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(request.body.data()), request.body.size(),
         digest.data());
  return IdempotencyKey{std::string(*key), std::string(digest.begin(), digest.end())};
}

Async<Result<AppendReceipt>> PublicApi::append_on_engine(Stream* stream,
                                                         std::shared_ptr<const FactBatch> facts,
                                                         std::optional<IdempotencyKey> key) {
  Metrics& metrics = engine_.metrics();
  const MonoTime started = engine_.runtime().now();
  const std::size_t bytes = facts->payload_bytes();
  Result<AppendReceipt> receipt = co_await stream->append(std::move(facts), std::move(key));
  metrics.append_seconds.Observe(seconds(engine_.runtime().now() - started));
  if (receipt && !receipt->repeated) {
    metrics.facts_appended.Increment(static_cast<double>(receipt->fact_count));
    metrics.bytes_appended.Increment(static_cast<double>(bytes));
  }
  co_return receipt;
}

Async<Result<PublicApi::Appended>> PublicApi::append_explained(
    Stream* stream, std::shared_ptr<const FactBatch> facts, std::optional<IdempotencyKey> key) {
  CO_TRY(ExplainedAppend append, ExplainedAppend::begin(engine_, *stream));
  CO_TRY(AppendReceipt receipt, co_await append_on_engine(stream, facts, std::move(key)));
  const MonoTime until = engine_.runtime().now() + settings_.read_wait;
  CO_TRY(auto explanation, co_await append.explain(std::move(facts), receipt, until));
  Appended appended{std::move(receipt), std::move(explanation)};
  co_return appended;
}

Async<Result<PublicApi::Appended>> PublicApi::append_body(HttpServerRequest& request) {
  CO_TRY(const BodyKind kind, body_kind(request));
  CO_TRY(auto key, idempotency_key(request));
  CO_TRY(const bool is_explained, wants_explanation(request));
  Stream* stream = streams_.known(request.path_parameter("stream"));
  if (stream == nullptr) {
    std::string name(request.path_parameter("stream"));
    CO_TRY(stream, co_await streams_.find(std::move(name)));
  }
  CO_TRY(auto facts,
         parse_facts(std::move(request.body), kind, stream->format(), engine_.settings().facts));
  if (is_explained) {
    co_return co_await on_engine(engine_.runtime(),
                                 append_explained(stream, std::move(facts), std::move(key)));
  }
  if (!key) {
    CO_TRY(auto receipt, co_await appends_.append(stream, std::move(facts)));
    Appended appended{std::move(receipt), std::nullopt};
    co_return appended;
  }
  CO_TRY(auto receipt,
         co_await on_engine(engine_.runtime(),
                            append_on_engine(stream, std::move(facts), std::move(key))));
  Appended appended{std::move(receipt), std::nullopt};
  co_return appended;
}

Async<HttpServerResponse> PublicApi::append(HttpServerRequest& request) {
  const Result<Appended> appended = co_await append_body(request);
  if (!appended) {
    engine_.metrics().appends_refused.Increment();
    co_return problem_response(appended.error(), request.request_id);
  }
  const AppendReceipt& receipt = appended->receipt;
  std::string body = fmt::format(R"({{"first":{},"last":{},"count":{},"token":"{}")", receipt.first,
                                 receipt.last, receipt.fact_count, receipt.token.token());
  if (appended->explanation) {
    body += R"(,"explanation":)" + boost::json::serialize(*appended->explanation);
  }
  body += '}';
  HttpServerResponse response = json_response(200, std::move(body));
  if (receipt.repeated) response.headers.emplace_back("Idempotent-Replayed", "true");
  co_return response;
}

Result<std::size_t> PublicApi::read_limit(const HttpServerRequest& request) const {
  const auto text = request.query_parameter("limit");
  if (!text) return settings_.read_limit_default;
  std::size_t limit = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, limit);
  if (rest != end || error != std::errc{} || limit == 0 || limit > settings_.read_limit_max) {
    return fail(Code::invalid_argument, "limit=\"{}\" must be a number from 1 to {}", *text,
                settings_.read_limit_max);
  }
  return limit;
}

Async<Result<std::string>> PublicApi::read_page(HttpServerRequest& request) {
  std::string name(request.path_parameter("stream"));
  CO_TRY(Stream* const stream, co_await streams_.find(std::move(name)));
  CO_TRY(const std::size_t limit, read_limit(request));
  CO_TRY(const ReadPlace place, co_await reach_place(stream, request));
  CO_TRY(const StreamPage found,
         co_await on_engine(engine_.runtime(), read_stream(stream, place, limit)));
  if (found.chunks.empty() && found.unreadable) {
    co_return std::unexpected(unreadable_error(stream->name(), *found.unreadable));
  }
  std::string page = R"({"facts":[)";
  PositionVector through = found.through;
  std::size_t count = 0;
  for (const Chunk& chunk : found.chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      if (count == limit || page.size() > read_bytes_max) {
        page += fmt::format(R"(],"token":"{}"}})", through.token());
        co_return page;
      }
      page += fmt::format(R"({}{{"id":{},"fact":)", count == 0 ? "" : ",", id);
      page += chunk.payload(id);
      page += '}';
      through = found.after_fact(id);
      ++count;
    }
  }
  page += fmt::format(R"(],"token":"{}"}})", found.through.token());
  co_return page;
}

Async<HttpServerResponse> PublicApi::read(HttpServerRequest& request) {
  Result<std::string> page = co_await read_page(request);
  if (!page) co_return problem_response(page.error(), request.request_id);
  co_return json_response(200, *std::move(page));
}

Async<HttpServerResponse> PublicApi::follow(HttpServerRequest& request) {
  std::string name(request.path_parameter("stream"));
  const auto stream = co_await streams_.find(std::move(name));
  if (!stream) co_return problem_response(stream.error(), request.request_id);
  auto place = co_await reach_place(*stream, request);
  if (!place) co_return problem_response(place.error(), request.request_id);
  co_return follow_response(engine_.runtime(), feeds_, **stream, *std::move(place));
}

Async<StreamId> PublicApi::position_on_engine(Stream* stream) {
  co_return stream->linear_position();
}

Async<Result<ReadPlace>> PublicApi::reach_on_engine(Stream* stream, HttpServerRequest& request,
                                                    Duration wait,
                                                    std::shared_ptr<const bool> has_gone) {
  CO_TRY(ReadPlace place, read_place(*stream, request));
  const MonoTime until = engine_.runtime().now() + wait;
  CO_TRY_VOID(co_await wait_for_place(stream, place, until, has_gone.get()));
  co_return place;
}

Async<Result<ReadPlace>> PublicApi::reach_place(Stream* stream, HttpServerRequest& request) {
  Runtime& runtime = engine_.runtime();
  const auto has_gone = std::make_shared<bool>(false);
  const Duration no_time{};
  auto place = co_await on_engine(runtime, reach_on_engine(stream, request, no_time, has_gone));
  if (place || place.error().code != Code::deadline) co_return place;
  request.watch_client([&runtime, stream, has_gone] {
    boost::asio::post(runtime.executor(), [stream, has_gone] {
      *has_gone = true;
      stream->advanced().notify_all();
    });
  });
  co_return co_await on_engine(runtime,
                               reach_on_engine(stream, request, settings_.read_wait, has_gone));
}

Async<Result<std::string>> PublicApi::read_position(HttpServerRequest& request) {
  std::string name(request.path_parameter("stream"));
  CO_TRY(Stream* const stream, co_await streams_.find(std::move(name)));
  CO_TRY(const ReadPlace place, co_await reach_place(stream, request));
  const StreamId linear = co_await on_engine(engine_.runtime(), position_on_engine(stream));
  PositionVector position(linear);
  if (place.at_least) position = position.joined(*place.at_least);
  co_return fmt::format(R"({{"position":{},"token":"{}"}})", linear, position.token());
}

Async<HttpServerResponse> PublicApi::position(HttpServerRequest& request) {
  Result<std::string> position = co_await read_position(request);
  if (!position) co_return problem_response(position.error(), request.request_id);
  co_return json_response(200, *std::move(position));
}

}  // namespace

void add_public_routes(HttpRouter& router, Engine& engine, StreamDirectory& streams,
                       AppendQueue& appends, PublicApiSettings settings) {
  const auto api = std::make_shared<PublicApi>(engine, streams, appends, settings);
  const std::string facts = "/v1/streams/{stream}/facts";
  const auto add = [&](std::string method, std::string path, std::uint64_t body_bytes_max,
                       Async<HttpServerResponse> (PublicApi::*handler)(HttpServerRequest&)) {
    HttpRoute route{std::move(method), std::move(path), Role::producer, body_bytes_max};
    route.handler = [api, handler](HttpServerRequest& request) { return (*api.*handler)(request); };
    router.add(std::move(route));
  };
  add("POST", facts, settings.batch_bytes_max, &PublicApi::append);
  add("GET", facts, 0, &PublicApi::read);
  add("GET", "/v1/streams/{stream}/follow", 0, &PublicApi::follow);
  add("GET", "/v1/streams/{stream}/position", 0, &PublicApi::position);
}

}  // namespace postrider
