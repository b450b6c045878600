#include "postrider/store/declarations.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class Declarations : public StoreTest {
 protected:
  using Documents = std::map<std::string, std::int64_t>;

  /// A process of that name starts, or begins another session, with the digests of its documents.
  BegunSession begin(const std::string& instance, const Documents& documents) {
    std::vector<Declaration> declarations;
    for (const auto& [service, digest] : documents) declarations.push_back({service, digest});
    const auto begun = transact(*connection, [&]() -> Result<void> {
      TRY(session, begin_session(*connection, instance, wall_time(1)));
      return declare(*connection, session, declarations);
    });
    EXPECT_TRUE(begun) << begun.error().detail;
    return session;
  }
  /// It lapses at once.
  void end(const BegunSession& ended) {
    ASSERT_TRUE(end_session(*connection, ended.instance, ended.session, wall_time(2)));
    lapsed.insert(ended.session);
  }
  LiveDeclarations live() { return read_live_declarations(*connection, lapsed).value(); }
  std::int64_t stored() {
    constexpr Statement count_sql{"SELECT COUNT(*) FROM declarations"};
    std::int64_t count = 0;
    EXPECT_TRUE(connection->execute(count_sql, {},
                                    [&count](const SqlRow& row) { count = row.integer(0); }));
    return count;
  }

  BegunSession session;
  std::set<SessionKey> lapsed;
};

TEST_F(Declarations, are_those_of_all_sessions_that_have_not_lapsed) {
  EXPECT_TRUE(live().configurations.empty());
  const BegunSession a = begin("a", {{"x", 1}, {"y", -2}});
  const BegunSession b = begin("b", {{"x", 3}});
  const BegunSession c = begin("c", {});
  EXPECT_EQ(live().configurations, (std::set{a.session, b.session, c.session}));
  EXPECT_EQ(live().newest("x", 1), a.session);
  EXPECT_EQ(live().newest("x", 3), b.session);
  EXPECT_EQ(live().newest("x", 4), SessionKey{});
  EXPECT_TRUE(live().declares("y"));
  end(a);
  EXPECT_EQ(live().configurations, (std::set{b.session, c.session}));
  EXPECT_EQ(std::exchange(lapsed, {}).size(), 1U);
  EXPECT_TRUE(live().declares("y")) << "it has just ended";
  lapsed.insert(a.session);
  EXPECT_EQ(live().newest("x", 1), SessionKey{});
  EXPECT_FALSE(live().declares("y"));
  const StoredSessions sessions = read_sessions(*connection).value();
  ASSERT_EQ(sessions.sessions.size(), 3U);
  EXPECT_EQ(sessions.sessions[1].configuration, b.session);
}

TEST_F(Declarations, are_of_one_configuration_as_long_as_a_live_session_has_it) {
  const Documents older = {{"x", 1}};
  const Documents newer = {{"x", 2}, {"y", 1}};
  const BegunSession a = begin("a", older);
  const BegunSession b = begin("b", newer);
  begin("c", older);
  EXPECT_EQ(live().newest("x", 1), a.session) << "a process more with the older file";
  end(begin("b", newer));
  begin("b", newer);
  EXPECT_EQ(live().newest("x", 2), b.session) << "a process that comes again";
  const BegunSession rolled_back = begin("b", older);
  EXPECT_EQ(live().configurations, std::set{a.session});
  EXPECT_EQ(stored(), 1) << "of configurations that nobody has nothing is kept";
  end(rolled_back);
  const BegunSession anew = begin("b", newer);
  EXPECT_EQ(live().newest("x", 2), anew.session);
}

TEST_F(Declarations, of_an_older_file_are_new_when_no_live_process_has_it) {
  const BegunSession a = begin("a", {{"x", 1}});
  const BegunSession b = begin("b", {{"x", 2}});
  end(a);
  const BegunSession c = begin("c", {{"x", 1}});
  EXPECT_GT(live().newest("x", 1), live().newest("x", 2));
  EXPECT_EQ(live().newest("x", 1), c.session);
  EXPECT_EQ(live().newest("x", 2), b.session);
}

TEST_F(Declarations, tell_documents_and_services_apart) {
  EXPECT_NE(digest_of_document("a"), digest_of_document("b"));
  const BegunSession a = begin("a", {{"x", 1}, {"y", 2}});
  const BegunSession b = begin("b", {{"x", 2}, {"y", 1}});
  const BegunSession c = begin("c", {{"x", 1}, {"z", 2}});
  EXPECT_EQ(live().configurations, (std::set{a.session, b.session, c.session}));
}

}  // namespace
}  // namespace postrider
