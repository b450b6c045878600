#include "postrider/lease/session.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class SessionTest : public StoreTest {
 protected:
  std::unique_ptr<Session> begun(const std::string& name) {
    auto session = std::make_unique<Session>(name, std::chrono::seconds{5});
    session->on_begun(begin_session(*connection, name, wall_time(1)).value(), MonoTime{});
    return session;
  }
  Result<void> commit(Session& session) {
    return transact(*connection, [&] { return session.heartbeat(*connection); });
  }
  SessionRow row_of(const Session& session) {
    const StoredSessions stored = read_sessions(*connection).value();
    for (const SessionRow& row : stored.sessions) {
      if (row.instance == session.instance()) return row;
    }
    ADD_FAILURE() << "no row for " << session.instance_name();
    return {};
  }
};

TEST_F(SessionTest, each_has_a_key_of_its_own_and_an_instance_keeps_its_own) {
  const auto a = begun("a");
  const auto b = begun("b");
  const auto again = begun("a");
  EXPECT_LT(a->key(), b->key());
  EXPECT_LT(b->key(), again->key());
  EXPECT_EQ(a->instance(), again->instance());
  EXPECT_NE(a->instance(), b->instance());
  EXPECT_EQ(read_newest_session(*connection).value(), again->key());
  EXPECT_EQ(read_sessions(*connection).value().newest, again->key());
}

TEST_F(SessionTest, every_transaction_is_a_heartbeat) {
  const auto session = begun("a");
  ASSERT_TRUE(commit(*session));
  ASSERT_TRUE(commit(*session));
  EXPECT_EQ(row_of(*session).heartbeats, 2);
}

TEST_F(SessionTest, its_permit_holds_an_interval_from_the_last_heartbeat_and_never_after_its_end) {
  constexpr std::chrono::nanoseconds moment{1};
  constexpr std::chrono::seconds interval{5};
  const auto session = begun("a");
  const auto permit = session->permit();
  EXPECT_TRUE(permit->holds(MonoTime{interval - moment}));
  EXPECT_FALSE(permit->holds(MonoTime{interval}));
  session->on_commit(MonoTime{interval}, {});
  EXPECT_TRUE(permit->holds(MonoTime{interval * 2 - moment}));
  EXPECT_TRUE(session->is_valid(MonoTime{interval * 2 - moment}));
  session->on_ended();
  EXPECT_FALSE(permit->holds(MonoTime{}));
  session->on_begun(begin_session(*connection, "a", wall_time(2)).value(), MonoTime{interval});
  EXPECT_FALSE(permit->holds(MonoTime{interval})) << "that of another session";
  EXPECT_TRUE(session->permit()->holds(MonoTime{interval}));
}

TEST_F(SessionTest, that_was_ended_commits_nothing_more) {
  const auto session = begun("a");
  ASSERT_TRUE(commit(*session));
  EXPECT_TRUE(expire_session(*connection, row_of(*session), wall_time(2)).value());
  EXPECT_FALSE(row_of(*session).is_live());
  EXPECT_EQ(commit(*session).error().code, Code::session_ended);
  EXPECT_FALSE(expire_session(*connection, row_of(*session), wall_time(2)).value()) << "twice";
}

TEST_F(SessionTest, that_had_a_heartbeat_meanwhile_is_not_ended) {
  const auto session = begun("a");
  const SessionRow seen = row_of(*session);
  ASSERT_TRUE(commit(*session));
  EXPECT_FALSE(expire_session(*connection, seen, wall_time(2)).value());
  EXPECT_TRUE(commit(*session));
}

TEST_F(SessionTest, ends_when_its_instance_begins_another) {
  const auto old = begun("a");
  const auto other = begun("a");
  EXPECT_EQ(commit(*old).error().code, Code::session_ended);
  EXPECT_TRUE(commit(*other));
  EXPECT_EQ(old->was_committed(*connection).error().code, Code::session_ended)
      << "its heartbeats are no longer known";
}

TEST_F(SessionTest, tells_whether_its_last_transaction_was_committed) {
  const auto session = begun("a");
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(session->heartbeat(*connection));
  connection->rollback();
  EXPECT_FALSE(session->was_committed(*connection).value());
  ASSERT_TRUE(commit(*session));
  EXPECT_TRUE(session->was_committed(*connection).value());
  ASSERT_TRUE(commit(*session));
  session->on_heartbeat_committed();
  EXPECT_FALSE(session->was_committed(*connection).value()) << "nothing since";
  ASSERT_TRUE(commit(*session));
  ASSERT_TRUE(expire_session(*connection, row_of(*session), wall_time(2)).value());
  EXPECT_TRUE(session->was_committed(*connection).value()) << "what is committed stays so";
}

TEST_F(SessionTest, is_not_trusted_an_interval_after_its_last_commit_began) {
  const auto session = begun("a");
  const MonoTime start{};
  EXPECT_TRUE(session->is_valid(start + std::chrono::seconds{4}));
  EXPECT_FALSE(session->is_valid(start + std::chrono::seconds{5}));
  session->on_commit(start + std::chrono::seconds{3}, {});
  EXPECT_TRUE(session->is_valid(start + std::chrono::seconds{7}));
  session->on_commit(start + std::chrono::seconds{7}, fail(Code::storage_full, "planted"));
  EXPECT_FALSE(session->is_valid(start + std::chrono::seconds{8}));
  EXPECT_FALSE(session->has_ended());
  session->on_commit(start + std::chrono::seconds{7}, fail(Code::session_ended, "planted"));
  EXPECT_TRUE(session->has_ended());
  EXPECT_FALSE(session->is_valid(start));
}

}  // namespace
}  // namespace postrider
