#include "postrider/api/follow.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/api/engine_call.hpp"
#include "postrider/api/follow_feed.hpp"

namespace postrider {
namespace {

// Proxies close what is silent for a minute.
constexpr std::string_view keep_alive = ": keep-alive\n\n";
constexpr Duration keep_alive_interval = std::chrono::seconds{15};

/// Facts that cannot be read: the follower goes on after them, and is told.
std::string to_event(const Stream& stream, const UnreadableFacts& facts, const PositionVector& on) {
  const boost::json::object data = {{"first", facts.ids.first.value},
                                    {"last", facts.ids.last.value},
                                    {"detail", unreadable_error(stream.name(), facts).detail}};
  return fmt::format("event: unreadable\nid: {}\ndata: {}\n\n", on.token(),
                     boost::json::serialize(data));
}

/// A connection that follows a stream.
struct Following {
  Runtime& runtime;
  FollowFeeds& feeds;
  Stream& stream;
  std::shared_ptr<Follower> follower = std::make_shared<Follower>(runtime);
};

Async<Result<FollowFeed::Next>> next_page(const Following* following, ReadPlace place,
                                          MonoTime until) {
  FollowFeed& feed = following->feeds.of(following->runtime, following->stream);
  co_return co_await feed.next(&following->runtime, following->follower, std::move(place), until);
}

/// Here it has come back to its connection: the next one may be woken.
void end_turn(const Following& following) {
  if (!following.follower->is_in_turn) return;
  boost::asio::post(
      following.runtime.executor(),
      [&feed_of = following.feeds, &runtime = following.runtime, &stream = following.stream,
       follower = following.follower] { feed_of.of(runtime, stream).end_turn(*follower); });
}

void wake_at_end(const Following& following, ResponseStream& out) {
  out.on_end([&runtime = following.runtime, follower = following.follower] {
    boost::asio::post(runtime.executor(), [follower] {
      follower->has_ended = true;
      follower->woken.notify_all();
    });
  });
}

Async<void> write_events(Following following, ReadPlace place, ResponseStream* out) {
  Runtime& runtime = following.runtime;
  wake_at_end(following, *out);
  MonoTime written_at = runtime.now();
  while (!out->ended()) {
    const MonoTime until = written_at + keep_alive_interval;
    auto next = co_await on_engine(runtime, next_page(&following, place, until));
    end_turn(following);
    if (!next) co_return;
    const FollowPage& page = *next->page;
    place.after = page.through();
    std::string own_text;
    std::string_view text = keep_alive;
    if (page.has_facts()) {
      text = page.events();
    } else if (page.unreadable()) {
      place.after = page.after_unreadable();
      own_text = to_event(following.stream, *page.unreadable(), place.after);
      text = own_text;
    } else if (next->asked_at < until) {
      continue;
    }
    written_at = next->asked_at;
    const Result<void> written = co_await out->write(text);
    if (!written) co_return;
  }
}

}  // namespace

HttpServerResponse follow_response(Runtime& runtime, FollowFeeds& feeds, Stream& stream,
                                   ReadPlace place) {
  HttpServerResponse response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.source = [&runtime, &feeds, &stream, place = std::move(place)](ResponseStream& out) {
    Following following{runtime, feeds, stream};
    return write_events(std::move(following), place, &out);
  };
  return response;
}

}  // namespace postrider
