// What holds only where two connections can be in transactions at one time.
#include <thread>

#include <gtest/gtest.h>

#include "postrider/drivers/testing/temporary_database.hpp"
#include "postrider/lease/session.hpp"

namespace postrider {
namespace {

/// A session, and another process that watches its heartbeats.
class SessionAndJudge : public testing::Test {
 protected:
  SessionAndJudge() {
    auto begun = begin_session(*writer, "a", wall_time(1));
    EXPECT_TRUE(begun);
    session.on_begun(*begun, MonoTime{});
  }

  [[nodiscard]] static std::unique_ptr<SqlConnection> connect(const std::string& name) {
    const PostgresSettings settings{.url = PostgresServer::shared().url(),
                                    .schema = "session_and_judge",
                                    .instance_name = name,
                                    .transaction_idle_max = std::chrono::seconds{60}};
    return PostgresDatabase::open(settings).value()->connect(Database::Access::read_write).value();
  }
  /// The judge saw no heartbeat for long enough.
  bool is_ended_by_judge() {
    const StoredSessions stored = read_sessions(*judge).value();
    return expire_session(*judge, stored.sessions.front(), wall_time(2)).value();
  }

  static constexpr Statement count_sql{"SELECT count(*) FROM leases WHERE name = 'late'"};
  std::unique_ptr<SqlConnection> writer = connect("a");
  std::unique_ptr<SqlConnection> judge = connect("b");
  Session session{"a", std::chrono::seconds{5}};
};

TEST_F(SessionAndJudge, who_is_in_the_middle_of_a_commit_is_not_ended_and_commits) {
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(session.heartbeat(*writer));
  ASSERT_TRUE(writer->execute(count_sql));
  EXPECT_FALSE(is_ended_by_judge());
  EXPECT_TRUE(writer->commit());
}

TEST_F(SessionAndJudge, who_stopped_in_the_middle_of_a_commit_is_ended_and_does_not_commit) {
  constexpr Statement late_sql{"INSERT INTO leases (name, session_key) VALUES ('late', 1)"};
  ASSERT_TRUE(writer->execute_once("SET idle_in_transaction_session_timeout = 200"));
  ASSERT_TRUE(writer->begin());
  ASSERT_TRUE(session.heartbeat(*writer));
  ASSERT_TRUE(writer->execute(late_sql));
  while (!is_ended_by_judge()) std::this_thread::sleep_for(std::chrono::milliseconds{20});
  const auto late = writer->commit();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::storage_unavailable);
  writer->rollback();
  std::int64_t count = -1;
  ASSERT_TRUE(
      judge->execute(count_sql, {}, [&count](const SqlRow& row) { count = row.integer(0); }));
  EXPECT_EQ(count, 0);
  const auto again = transact(*writer, [this] { return session.heartbeat(*writer); });
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::session_ended);
}

TEST_F(SessionAndJudge, who_was_ended_before_its_commit_began_commits_nothing) {
  constexpr Statement late_sql{"INSERT INTO leases (name, session_key) VALUES ('late', 1)"};
  EXPECT_TRUE(is_ended_by_judge());
  const auto late = transact(*writer, [&]() -> Result<void> {
    TRY_VOID(session.heartbeat(*writer));
    return writer->enqueue(late_sql, {});
  });
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::session_ended);
  EXPECT_FALSE(writer->is_in_doubt());
  std::int64_t count = -1;
  ASSERT_TRUE(
      judge->execute(count_sql, {}, [&count](const SqlRow& row) { count = row.integer(0); }));
  EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace postrider
