#include "postrider/store/sessions.hpp"

#include <algorithm>

#include "postrider/store/leases.hpp"
#include "postrider/store/stream_ids.hpp"
#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredSessionsTest : public StoreTest {
 protected:
  BegunSession begin(const std::string& name) {
    return begin_session(*connection, name, wall_time(1)).value();
  }
  void put(StreamKey key, InstanceKey instance, std::int64_t position) {
    const auto done = transact(*connection, [&] {
      return put_writer_position(*connection, {key, instance, StreamId{position}});
    });
    ASSERT_TRUE(done) << done.error().detail;
  }
};

TEST_F(StoredSessionsTest, are_none_in_a_new_database) {
  const StoredSessions stored = read_sessions(*connection).value();
  EXPECT_EQ(stored.newest, SessionKey{0});
  EXPECT_TRUE(stored.sessions.empty());
}

TEST_F(StoredSessionsTest, are_read_with_their_positions) {
  const BegunSession a = begin("a");
  const BegunSession b = begin("b");
  const BegunSession c = begin("c");
  put(StreamKey{1}, a.instance, 10);
  put(StreamKey{2}, a.instance, 20);
  put(StreamKey{1}, c.instance, 30);
  put(StreamKey{1}, c.instance, 31);
  put(StreamKey{1}, c.instance, 29);
  const StoredSessions stored = read_sessions(*connection).value();
  ASSERT_EQ(stored.sessions.size(), 3U);
  EXPECT_EQ(stored.sessions[1].instance, b.instance);
  EXPECT_EQ(stored.sessions[1].instance_name, "b");
  EXPECT_TRUE(stored.sessions[1].is_live());
  ASSERT_EQ(stored.positions.size(), 3U);
  EXPECT_EQ(stored.positions[1].stream, StreamKey{2});
  EXPECT_EQ(stored.positions[1].position, StreamId{20});
  EXPECT_EQ(stored.positions[2].instance, c.instance);
  EXPECT_EQ(stored.positions[2].position, StreamId{31});
}

TEST_F(StoredSessionsTest, that_have_ended_are_forgotten_unless_their_instance_has_come_again) {
  const BegunSession a = begin("a");
  const BegunSession b = begin("b");
  const auto row_of = [this](const BegunSession& session) {
    const StoredSessions stored = read_sessions(*connection).value();
    return *std::ranges::find(stored.sessions, session.instance, &SessionRow::instance);
  };
  const auto forget = [this](const SessionRow& row) {
    const std::vector<StreamKey> streams = {StreamKey{1}, StreamKey{2}};
    EXPECT_TRUE(transact(*connection, [&] { return forget_instance(*connection, row, streams); }));
    return read_sessions(*connection).value();
  };
  put(StreamKey{1}, a.instance, 10);
  put(StreamKey{2}, a.instance, 20);
  put(StreamKey{1}, b.instance, 30);
  EXPECT_EQ(forget(row_of(a)).sessions.size(), 2U) << "one that lives";
  ASSERT_TRUE(end_session(*connection, a.instance, a.session, wall_time(2)));
  const SessionRow ended = row_of(a);
  EXPECT_EQ(ended.ended_at, wall_time(2));
  const BegunSession again = begin("a");
  EXPECT_EQ(forget(ended).positions.size(), 3U) << "one that has come again";
  ASSERT_TRUE(end_session(*connection, again.instance, again.session, wall_time(3)));
  const StoredSessions left = forget(row_of(again));
  ASSERT_EQ(left.sessions.size(), 1U);
  EXPECT_EQ(left.sessions[0].instance, b.instance);
  ASSERT_EQ(left.positions.size(), 1U);
  EXPECT_EQ(left.positions[0].instance, b.instance);
  EXPECT_GT(begin("a").instance, b.instance) << "a key of its own, since tokens name them";
}

TEST_F(StoredSessionsTest, have_the_interval_of_the_first_one_until_nobody_else_is_left) {
  using std::chrono::seconds;
  const auto propose = [this](const BegunSession& session, Duration interval) {
    EXPECT_TRUE(propose_session_interval(*connection, session.instance, interval));
    EXPECT_EQ(read_sessions(*connection).value().session_interval,
              read_session_interval(*connection).value());
    return read_session_interval(*connection).value();
  };
  EXPECT_EQ(read_session_interval(*connection).value(), Duration::zero());
  const BegunSession a = begin("a");
  EXPECT_EQ(propose(a, seconds{5}), seconds{5});
  const BegunSession b = begin("b");
  EXPECT_EQ(propose(b, seconds{1}), seconds{5});
  ASSERT_TRUE(end_session(*connection, a.instance, a.session, wall_time(2)));
  EXPECT_EQ(propose(b, seconds{1}), seconds{1});
}

using StreamIds = StoreTest;

TEST_F(StreamIds, are_drawn_once_each) {
  ASSERT_EQ(prepare_ids(*connection, stream, StreamId{0}).value(), StreamId{0});
  const auto first = draw_ids(*connection, stream, 1).value();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0], (IdRange{StreamId{1}, StreamId{ids_per_draw}}));
  const auto many = draw_ids(*connection, stream, 2 * ids_per_draw + 1).value();
  ASSERT_EQ(many.size(), 1U) << "neighbours are joined";
  EXPECT_EQ(many[0].first, StreamId{ids_per_draw + 1});
  EXPECT_EQ(many[0].count(), 3 * ids_per_draw);
  EXPECT_EQ(prepare_ids(*connection, stream, StreamId{0}).value(), many[0].last);
}

TEST_F(StreamIds, go_on_above_what_is_used_though_the_sequence_is_behind) {
  ASSERT_TRUE(prepare_ids(*connection, stream, StreamId{0}));
  EXPECT_EQ(prepare_ids(*connection, stream, StreamId{2 * ids_per_draw + 1}).value(),
            StreamId{3 * ids_per_draw});
  EXPECT_EQ(draw_ids(*connection, stream, 1).value()[0].first, StreamId{3 * ids_per_draw + 1});
  EXPECT_EQ(prepare_ids(*connection, stream, StreamId{1}).value(), StreamId{4 * ids_per_draw});
}

TEST_F(StreamIds, of_each_stream_are_its_own) {
  ASSERT_TRUE(prepare_ids(*connection, StreamKey{1}, StreamId{0}));
  ASSERT_TRUE(prepare_ids(*connection, StreamKey{2}, StreamId{0}));
  ASSERT_TRUE(draw_ids(*connection, StreamKey{1}, 1));
  EXPECT_EQ(draw_ids(*connection, StreamKey{2}, 1).value()[0].first, StreamId{1});
}

using Leases = StoreTest;

TEST_F(Leases, are_taken_from_whom_they_were_seen_with) {
  EXPECT_EQ(read_lease(*connection, "delivery").value(), SessionKey{0});
  EXPECT_TRUE(take_lease(*connection, "delivery", SessionKey{0}, SessionKey{3}).value());
  EXPECT_FALSE(take_lease(*connection, "delivery", SessionKey{0}, SessionKey{4}).value());
  EXPECT_EQ(read_lease(*connection, "delivery").value(), SessionKey{3});
  EXPECT_TRUE(take_lease(*connection, "delivery", SessionKey{3}, SessionKey{4}).value());
  EXPECT_TRUE(take_lease(*connection, "other", SessionKey{0}, SessionKey{3}).value());
}

}  // namespace
}  // namespace postrider
