#include "postrider/api/follow_feed.hpp"

#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {
namespace {

using std::chrono::seconds;

/// Connections that follow a stream, each as fast as the test says.
class FollowFeedTest : public StreamWorld {
 protected:
  struct Connection {
    std::shared_ptr<Follower> follower;
    PositionVector at;
    std::vector<std::shared_ptr<const FollowPage>> pages;
    bool is_asking = false;
  };

  /// Asks for one page.
  Async<void> ask(Connection* connection) {
    connection->is_asking = true;
    const MonoTime until = runtime.now() + patience;
    const auto next =
        co_await feed.next(&runtime, connection->follower, {connection->at, {}}, until);
    connection->is_asking = false;
    EXPECT_TRUE(next);
    if (!next) co_return;
    connection->at = next->page->through();
    connection->pages.push_back(next->page);
  }

  void ask_all() {
    for (Connection& each : connections) gate.spawn(ask(&each), "connection");
    runtime.run_for(std::chrono::milliseconds{1});
  }
  void connect(int count) {
    for (int i = 0; i < count; ++i) {
      connections.push_back({std::make_shared<Follower>(runtime), {}, {}});
    }
  }
  void append(std::shared_ptr<const FactBatch> batch) {
    EXPECT_TRUE(run(stream->append(std::move(batch), std::nullopt)));
    runtime.run_for(std::chrono::milliseconds{1});
  }
  std::ptrdiff_t answered() {
    return std::ranges::count_if(connections,
                                 [](const Connection& each) { return !each.is_asking; });
  }
  void end_turns() {
    for (Connection& each : connections) {
      if (each.follower->is_in_turn) feed.end_turn(*each.follower);
    }
    runtime.run_for(std::chrono::milliseconds{1});
  }
  /// Ends what waits, so that nothing outlives the test.
  void TearDown() override {
    for (Connection& each : connections) {
      each.follower->has_ended = true;
      each.follower->woken.notify_all();
    }
    for (std::size_t i = 0; i <= connections.size(); ++i) end_turns();
    run(gate.drained());
  }

  Duration patience = seconds{60};
  Stream* stream = only_stream(open_stream());
  FollowFeed feed{runtime, *stream};
  std::list<Connection> connections;
  Gate gate{runtime};
};

TEST_F(FollowFeedTest, all_who_stand_at_one_place_get_one_page) {
  connect(3);
  ask_all();
  EXPECT_EQ(answered(), 0);
  append(facts(*stream, 2));
  ASSERT_EQ(answered(), 3);
  const auto page = connections.front().pages.front();
  EXPECT_NE(page->events().find("id: s2\ndata: {\"id\":2,"), std::string::npos) << page->events();
  for (const Connection& each : connections) EXPECT_EQ(each.pages.front(), page);
}

TEST_F(FollowFeedTest, wakes_a_few_at_a_time) {
  connect(100);
  ask_all();
  append(facts(*stream, 1));
  EXPECT_EQ(answered(), 16);
  end_turns();
  EXPECT_EQ(answered(), 32);
  for (int i = 0; i < 5; ++i) end_turns();
  EXPECT_EQ(answered(), 100);
  for (const Connection& each : connections) EXPECT_EQ(each.at, PositionVector(StreamId{1}));
}

TEST_F(FollowFeedTest, what_comes_during_a_round_comes_with_the_next_one) {
  connect(20);
  ask_all();
  append(facts(*stream, 1));
  append(facts(*stream, 1));
  end_turns();
  ASSERT_EQ(answered(), 20);
  end_turns();
  for (Connection& each : connections) {
    if (each.at == PositionVector(StreamId{1})) gate.spawn(ask(&each), "connection");
  }
  runtime.run_for(std::chrono::milliseconds{1});
  EXPECT_EQ(answered(), 20) << "who was woken first asks again and need not wait";
  for (const Connection& each : connections) EXPECT_EQ(each.at, PositionVector(StreamId{2}));
  ask_all();
  EXPECT_EQ(answered(), 0);
  append(facts(*stream, 1));
  EXPECT_EQ(answered(), 16);
}

TEST_F(FollowFeedTest, one_that_has_waited_long_enough_gets_a_page_without_facts) {
  connect(2);
  patience = seconds{1};
  ask_all();
  runtime.run_for(seconds{2});
  ASSERT_EQ(answered(), 2);
  EXPECT_FALSE(connections.front().pages.front()->has_facts());
  EXPECT_FALSE(connections.front().follower->is_in_turn);
  ask_all();
  append(facts(*stream, 1));
  EXPECT_EQ(answered(), 2);
}

TEST_F(FollowFeedTest, one_that_has_ended_leaves_the_others_alone) {
  connect(3);
  ask_all();
  connections.front().follower->has_ended = true;
  connections.front().follower->woken.notify_all();
  runtime.run_for(seconds{1});
  EXPECT_EQ(answered(), 1);
  append(facts(*stream, 1));
  EXPECT_EQ(answered(), 3);
  EXPECT_EQ(connections.back().at, PositionVector(StreamId{1}));
}

TEST_F(FollowFeedTest, a_page_ends_after_64_kib) {
  const auto large = [this](std::size_t bytes) {
    const std::string fact = fmt::format(
        R"({{"type":"t","sender":"@a:x","room_id":"!r","x":"{}"}})", std::string(bytes, 'x'));
    std::string body;
    for (int i = 0; i < 3; ++i) body += fact + "\n";
    return parse_facts(std::move(body), BodyKind::ndjson, stream->format(), {}).value();
  };
  append(large(25U << 10));
  append(large(15U << 10));
  connect(1);
  std::vector<std::int64_t> ends;
  while (connections.front().at != PositionVector(StreamId{6})) {
    ask_all();
    ends.push_back(connections.front().at.minimum().value);
    EXPECT_LE(connections.front().pages.back()->events().size(), (64U + 26U) << 10);
  }
  EXPECT_EQ(ends, (std::vector<std::int64_t>{3, 6}));
}

}  // namespace
}  // namespace postrider
