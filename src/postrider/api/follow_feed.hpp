#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "postrider/api/stream_page.hpp"
#include "postrider/runtime/gate.hpp"

// Followers of one stream, at its end as a rule. All who stand at the same place get the same page,
// which is read once and becomes text once. When something comes they are woken a few at a time:
// each next one when one before has gone on to its connection, so that requests of others wait for
// a few followers and not for all of them. Who is slow to read holds up nobody, since its turn ends
// before it is written to. What comes while a round is under way goes into the next one.

namespace postrider {

/// Facts for followers, about 64 KiB at most beside the last one. Immutable; any thread.
class FollowPage {
 public:
  /// Of `page` as much as goes into one piece.
  explicit FollowPage(StreamPage page);

  [[nodiscard]] bool has_facts() const { return has_facts_; }
  [[nodiscard]] const PositionVector& through() const { return page_.through; }
  /// What cannot be read and follows `through`, with where to go on after it.
  [[nodiscard]] const std::optional<UnreadableFacts>& unreadable() const {
    return page_.unreadable;
  }
  [[nodiscard]] PositionVector after_unreadable() const;
  /// The facts as server-sent events. The first caller makes them; then they are all that is kept.
  [[nodiscard]] const std::string& events() const;

 private:
  mutable StreamPage page_;  ///< its chunks until they are rendered
  bool has_facts_ = false;
  mutable std::once_flag is_rendered_;
  mutable std::string events_;
};

/// One connection that follows. Engine thread; `is_in_turn` also where `FollowFeed::next` has
/// returned to.
struct Follower {
  explicit Follower(Runtime& runtime) : woken(runtime) {}

  Event woken;
  bool has_ended = false;
  bool is_in_turn = false;
};

/// What is new in one stream for those who follow it. Engine thread.
class FollowFeed {
 public:
  FollowFeed(Runtime& runtime, Stream& stream)
      : stream_(stream), served_(runtime), gate_(runtime) {}

  struct Next {
    std::shared_ptr<const FollowPage> page;
    MonoTime asked_at;
  };
  /// What comes after `place`; a page without facts when nothing has until `until`, or the follower
  /// has ended. `end_turn` is due afterwards if the follower is in turn. Errors: as `read_stream`.
  Async<Result<Next>> next(Runtime* runtime, std::shared_ptr<Follower> follower, ReadPlace place,
                           MonoTime until);
  /// The follower has gone on to its connection.
  void end_turn(Follower& follower);

 private:
  Async<Result<std::shared_ptr<const FollowPage>>> read(ReadPlace place);
  /// Until something comes after `at`, where the linear position was when there was nothing new.
  Async<void> wait(std::shared_ptr<Follower> follower, StreamId at, MonoTime until);
  Async<void> wake_followers();
  Async<void> wake_all_who_wait();

  Stream& stream_;
  std::list<Follower*> waiting_;
  StreamId seen_;  ///< those who waited then were woken for what is up to here
  bool is_waking_ = false;
  int in_turn_ = 0;
  PositionVector shared_after_;
  std::weak_ptr<const FollowPage> shared_;  ///< what follows it, while somebody sends it
  Event served_;
  Gate gate_;
};

/// One for each stream that is followed. Engine thread.
class FollowFeeds {
 public:
  FollowFeed& of(Runtime& runtime, Stream& stream);

 private:
  std::map<StreamKey, FollowFeed> feeds_;
};

}  // namespace postrider
