#include "postrider/api/follow.hpp"

#include <boost/asio/post.hpp>

#include "postrider/api/engine_call.hpp"
#include "postrider/api/stream_token.hpp"

namespace postrider {
namespace {

constexpr std::size_t facts_per_piece = 200;
// Proxies close what is silent for a minute.
constexpr Duration keep_alive_interval = std::chrono::seconds{15};

/// A payload may hold line breaks between its tokens; each line is a data field of its own.
void add_data(std::string& out, std::string_view payload) {
  while (true) {
    const std::size_t end = payload.find_first_of("\r\n");
    out += payload.substr(0, end);
    if (end == std::string_view::npos) return;
    out += "\ndata: ";
    payload.remove_prefix(end + 1);
  }
}

std::string to_events(const std::vector<Chunk>& chunks) {
  std::string text;
  for (const Chunk& chunk : chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      text += fmt::format("event: fact\nid: {}\ndata: {{\"id\":{},\"fact\":", stream_token(id), id);
      add_data(text, chunk.payload(id));
      text += "}\n\n";
    }
  }
  return text;
}

/// What comes next, or nothing when a keep-alive is due.
Async<Result<std::vector<Chunk>>> next_chunks(Runtime* runtime, Stream* stream, StreamId after) {
  if (after >= stream->linear_position()) {
    co_await stream->advanced().wait_until(runtime->now() + keep_alive_interval);
  }
  co_return co_await stream->read(after, facts_per_piece, Stream::Keys::not_needed);
}

Async<void> write_events(Runtime* runtime, Stream* stream, StreamId after, ResponseStream* out) {
  out->on_end([runtime, stream] {
    boost::asio::post(runtime->executor(), [stream] { stream->advanced().notify_all(); });
  });
  while (!out->ended()) {
    const auto chunks = co_await on_engine(*runtime, next_chunks(runtime, stream, after));
    if (!chunks) co_return;
    std::string text = chunks->empty() ? ": keep-alive\n\n" : to_events(*chunks);
    if (!chunks->empty()) after = chunks->back().last();
    const Result<void> written = co_await out->write(std::move(text));
    if (!written) co_return;
  }
}

}  // namespace

Async<Result<StreamId>> start_position(Stream* stream, const HttpServerRequest& request) {
  auto token = request.header("Last-Event-ID");
  if (!token) token = request.query_parameter("after");
  if (!token) co_return stream->dropped_through();
  CO_TRY(const StreamId after, parse_stream_token(*token));
  if (after < stream->dropped_through()) {
    co_return fail(Code::position_gone,
                   "facts up to {} of stream \"{}\" are no longer kept; read from token {} on",
                   stream->dropped_through(), stream->name(),
                   stream_token(stream->dropped_through()));
  }
  co_return after;
}

HttpServerResponse follow_response(Runtime& runtime, Stream& stream, StreamId after) {
  HttpServerResponse response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.source = [&runtime, &stream, after](ResponseStream& out) {
    return write_events(&runtime, &stream, after, &out);
  };
  return response;
}

}  // namespace postrider
