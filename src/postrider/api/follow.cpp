#include "postrider/api/follow.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/api/engine_call.hpp"

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

std::string to_events(const StreamPage& page) {
  std::string text;
  for (const Chunk& chunk : page.chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      text += fmt::format(
          "event: fact\nid: {}\ndata: {{\"id\":{},\"fact\":", page.after_fact(id).token(), id);
      add_data(text, chunk.payload(id));
      text += "}\n\n";
    }
  }
  return text;
}

/// Facts that cannot be read: the follower goes on after them, and is told.
std::string to_event(const Stream& stream, const UnreadableFacts& facts, const PositionVector& on) {
  const boost::json::object data = {{"first", facts.ids.first.value},
                                    {"last", facts.ids.last.value},
                                    {"detail", unreadable_error(stream.name(), facts).detail}};
  return fmt::format("event: unreadable\nid: {}\ndata: {}\n\n", on.token(),
                     boost::json::serialize(data));
}

struct Next {
  StreamPage page;
  MonoTime asked_at;
};

/// What comes next; nothing when something has moved without facts, or nothing has until `until`.
Async<Result<Next>> next_page(Runtime* runtime, Stream* stream, ReadPlace place, MonoTime until) {
  CO_TRY(StreamPage page, co_await read_stream(stream, place, facts_per_piece));
  if (page.chunks.empty() && !page.unreadable && place.after.reaches(page.through)) {
    co_await stream->advanced().wait_until(until);
    CO_TRY(page, co_await read_stream(stream, place, facts_per_piece));
  }
  co_return Next{std::move(page), runtime->now()};
}

Async<void> write_events(Runtime* runtime, Stream* stream, ReadPlace place, ResponseStream* out) {
  out->on_end([runtime, stream] {
    boost::asio::post(runtime->executor(), [stream] { stream->advanced().notify_all(); });
  });
  MonoTime written_at = runtime->now();
  while (!out->ended()) {
    const MonoTime until = written_at + keep_alive_interval;
    auto next = co_await on_engine(*runtime, next_page(runtime, stream, place, until));
    if (!next) co_return;
    place.after = next->page.through;
    const bool has_facts = !next->page.chunks.empty();
    std::string text = ": keep-alive\n\n";
    if (has_facts) {
      text = to_events(next->page);
    } else if (const auto& unreadable = next->page.unreadable) {
      place.after = place.after.joined(next->page.upto.clipped(unreadable->ids.last));
      text = to_event(*stream, *unreadable, place.after);
    } else if (next->asked_at < until) {
      continue;
    }
    written_at = next->asked_at;
    const Result<void> written = co_await out->write(std::move(text));
    if (!written) co_return;
  }
}

}  // namespace

HttpServerResponse follow_response(Runtime& runtime, Stream& stream, ReadPlace place) {
  HttpServerResponse response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.source = [&runtime, &stream, place = std::move(place)](ResponseStream& out) {
    return write_events(&runtime, &stream, place, &out);
  };
  return response;
}

}  // namespace postrider
