#include "postrider/api/follow_feed.hpp"

#include <utility>

namespace postrider {
namespace {

constexpr std::size_t facts_per_page = 200;
constexpr std::size_t page_bytes = 64U << 10;
/// That were woken and have not gone on to their connections.
constexpr int in_turn_max = 16;

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

/// The last fact that still goes into a piece.
std::optional<StreamId> end_of_piece(const StreamPage& page) {
  std::size_t bytes = 0;
  for (const Chunk& chunk : page.chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      bytes += chunk.payload(id).size();
      if (bytes >= page_bytes) return id;
    }
  }
  return std::nullopt;
}

void cut_after(StreamPage& page, StreamId last) {
  std::erase_if(page.chunks, [last](const Chunk& chunk) { return chunk.first > last; });
  Chunk& end = page.chunks.back();
  end = end.part(end.first.plus(-1), last);
  page.through = page.after_fact(last);
  page.unreadable.reset();
}

}  // namespace

FollowPage::FollowPage(StreamPage page) : page_(std::move(page)) {
  const auto end = end_of_piece(page_);
  if (end && *end < page_.chunks.back().last()) cut_after(page_, *end);
  has_facts_ = !page_.chunks.empty();
}

PositionVector FollowPage::after_unreadable() const {
  return page_.through.joined(page_.upto.clipped(page_.unreadable->ids.last));
}

const std::string& FollowPage::events() const {
  std::call_once(is_rendered_, [this] {
    events_ = to_events(page_);
    page_.chunks = {};
  });
  return events_;
}

Async<Result<FollowFeed::Next>> FollowFeed::next(Runtime* runtime,
                                                 std::shared_ptr<Follower> follower,
                                                 ReadPlace place, MonoTime until) {
  const StreamId at = stream_.linear_position();
  CO_TRY(auto page, co_await read(place));
  const bool is_new = page->has_facts() || page->unreadable();
  if (!is_new && place.after.reaches(page->through())) {
    page.reset();
    co_await wait(std::move(follower), at, until);
    CO_TRY(page, co_await read(place));
  }
  co_return Next{std::move(page), runtime->now()};
}

Async<Result<std::shared_ptr<const FollowPage>>> FollowFeed::read(ReadPlace place) {
  const bool may_share = !place.at_least;
  auto shared = shared_.lock();
  if (may_share && shared && shared_after_ == place.after) co_return shared;
  CO_TRY(StreamPage found, co_await read_stream(&stream_, place, facts_per_page));
  auto page = std::make_shared<const FollowPage>(std::move(found));
  if (may_share && page->has_facts()) {
    shared_after_ = std::move(place.after);
    shared_ = page;
  }
  co_return page;
}

Async<void> FollowFeed::wait(std::shared_ptr<Follower> follower, StreamId at, MonoTime until) {
  if (follower->has_ended || stream_.linear_position() != at) co_return;
  if (waiting_.empty()) seen_ = at;
  waiting_.push_back(follower.get());
  if (!std::exchange(is_waking_, true)) gate_.spawn(wake_followers(), "followers");
  co_await follower->woken.wait_until(until);
  if (follower->is_in_turn) co_return;
  waiting_.remove(follower.get());
  // Nobody is left to be woken.
  if (waiting_.empty()) stream_.advanced().notify_all();
}

void FollowFeed::end_turn(Follower& follower) {
  follower.is_in_turn = false;
  --in_turn_;
  served_.notify_all();
}

Async<void> FollowFeed::wake_followers() {
  while (!waiting_.empty()) {
    if (stream_.linear_position() == seen_) {
      co_await stream_.advanced().wait();
      continue;
    }
    seen_ = stream_.linear_position();
    co_await wake_all_who_wait();
  }
  is_waking_ = false;
}

Async<void> FollowFeed::wake_all_who_wait() {
  for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
    Follower* const next = waiting_.front();
    waiting_.pop_front();
    next->is_in_turn = true;
    ++in_turn_;
    next->woken.notify_all();
    while (in_turn_ >= in_turn_max) co_await served_.wait();
  }
}

FollowFeed& FollowFeeds::of(Runtime& runtime, Stream& stream) {
  return feeds_.try_emplace(stream.key(), runtime, stream).first->second;
}

}  // namespace postrider
