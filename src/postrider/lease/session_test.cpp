#include "postrider/lease/session.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class SessionTest : public StoreTest {
 protected:
  Session begun(const std::string& name) {
    Session session(name);
    session.adopt(begin_session(*connection, name, wall_time(1)).value());
    return session;
  }
  Result<void> commit(Session& session) {
    return transact(*connection, [&] { return session.enter(*connection); });
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
  const Session a = begun("a");
  const Session b = begun("b");
  const Session again = begun("a");
  EXPECT_LT(a.key(), b.key());
  EXPECT_LT(b.key(), again.key());
  EXPECT_EQ(a.instance(), again.instance());
  EXPECT_NE(a.instance(), b.instance());
  EXPECT_EQ(read_newest_session(*connection).value(), again.key());
  EXPECT_EQ(read_sessions(*connection).value().newest, again.key());
}

TEST_F(SessionTest, every_transaction_is_a_beat) {
  Session session = begun("a");
  ASSERT_TRUE(commit(session));
  ASSERT_TRUE(commit(session));
  EXPECT_EQ(row_of(session).beats, 2);
}

TEST_F(SessionTest, that_was_ended_commits_nothing_more) {
  Session session = begun("a");
  ASSERT_TRUE(commit(session));
  EXPECT_TRUE(end_silent_session(*connection, row_of(session), wall_time(2)).value());
  EXPECT_FALSE(row_of(session).is_live);
  EXPECT_EQ(commit(session).error().code, Code::session_ended);
  EXPECT_FALSE(end_silent_session(*connection, row_of(session), wall_time(2)).value()) << "twice";
}

TEST_F(SessionTest, that_had_a_beat_meanwhile_is_not_ended) {
  Session session = begun("a");
  const SessionRow seen = row_of(session);
  ASSERT_TRUE(commit(session));
  EXPECT_FALSE(end_silent_session(*connection, seen, wall_time(2)).value());
  EXPECT_TRUE(commit(session));
}

TEST_F(SessionTest, ends_when_its_instance_begins_another) {
  Session old = begun("a");
  Session other = begun("a");
  EXPECT_EQ(commit(old).error().code, Code::session_ended);
  EXPECT_TRUE(commit(other));
  EXPECT_EQ(old.was_committed(*connection).error().code, Code::session_ended)
      << "its beats are no longer known";
}

TEST_F(SessionTest, tells_whether_its_last_transaction_was_committed) {
  Session session = begun("a");
  ASSERT_TRUE(connection->begin());
  ASSERT_TRUE(session.enter(*connection));
  connection->rollback();
  EXPECT_FALSE(session.was_committed(*connection).value());
  ASSERT_TRUE(commit(session));
  EXPECT_TRUE(session.was_committed(*connection).value());
  ASSERT_TRUE(commit(session));
  session.committed();
  EXPECT_FALSE(session.was_committed(*connection).value()) << "nothing since";
  ASSERT_TRUE(commit(session));
  ASSERT_TRUE(end_silent_session(*connection, row_of(session), wall_time(2)).value());
  EXPECT_TRUE(session.was_committed(*connection).value()) << "what is committed stays so";
}

}  // namespace
}  // namespace postrider
