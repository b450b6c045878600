#include "postrider/matrix/matrix_format.hpp"
#include "postrider/matrix/matrix_interest.hpp"
#include "postrider/matrix/rooms.hpp"
#include "postrider/matrix/testing/matrix_services.hpp"
#include "postrider/sort/sorter.hpp"
#include "postrider/sort/testing/fake_inboxes.hpp"
#include "postrider/store/services.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {
namespace {

using std::chrono::seconds;

class SorterTest : public StreamWorld {
 protected:
  SorterTest() : StreamWorld(std::make_unique<const MatrixFormat>()) {
    for (const char* id : {"a", "b"}) {
      const ServiceRow row{
          .key = {}, .id = id, .kind = "matrix", .document = "{}", .transaction_prefix = "1"};
      keys.push_back(insert_service(*writer, row, runtime.wall_now()).value());
    }
    restart();
  }
  ~SorterTest() override { run(sorter->stop()); }

  void restart(SorterSettings settings = {}, const std::string& server_name = "") {
    if (sorter) run(sorter->stop());
    policy = std::make_unique<const MatrixPolicy>(server_name);
    catalog = std::make_unique<InterestCatalog>(runtime, lane, inboxes);
    sorter = std::make_unique<Sorter>(
        runtime, *committer, Reader{lane, *reader}, *stream, inboxes, tail,
        DecidedBy{*catalog, *policy}, settings,
        SorterMetrics{facts_sorted, inbox_entries, facts_unwanted, facts_quarantined});
    sorter->start();
  }

  void register_service(ServiceKey key, const std::string& users) {
    inboxes.services.push_back(
        matrix_service(key, "bot_of_nobody", Namespaces{.users = {{users, false}}}));
    ++inboxes.version;
  }

  void append(std::string_view sender, std::string_view more = {}) {
    auto batch =
        parse_facts(fmt::format(R"({{"type":"t","sender":"{}","room_id":"!r:x"{}}})", sender, more),
                    BodyKind::json, stream->format(), {});
    ASSERT_TRUE(run(stream->append(std::move(batch).value(), std::nullopt)));
  }
  void append_membership(std::string_view user, std::string_view membership) {
    auto batch = parse_facts(
        fmt::format(R"({{"type":"m.room.member","sender":"{0}","room_id":"!r:x","state_key":"{0}",)"
                    R"("content":{{"membership":"{1}"}}}})",
                    user, membership),
        BodyKind::json, stream->format(), {});
    ASSERT_TRUE(run(stream->append(std::move(batch).value(), std::nullopt)));
  }

  bool sort_all() {
    return runtime.run_until(
        [this] { return stream->sorted_through() == stream->linear_position(); });
  }

  using Positions = std::vector<std::int64_t>;

  std::vector<ServiceKey> keys;
  FakeInboxes inboxes;
  DecisionTail tail{runtime};
  prometheus::Counter facts_sorted;
  prometheus::Counter inbox_entries;
  prometheus::Counter facts_unwanted;
  prometheus::Counter facts_quarantined;
  std::unique_ptr<Stream> stream = open_stream();
  std::unique_ptr<const MatrixPolicy> policy;
  std::unique_ptr<InterestCatalog> catalog;
  std::unique_ptr<Sorter> sorter;
};

TEST_F(SorterTest, each_service_gets_what_it_is_interested_in_in_order) {
  register_service(keys[0], "@a.*");
  register_service(keys[1], "@.*");
  append("@a1:x");
  append("@b1:x");
  append("@a2:x");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1, 3}));
  EXPECT_EQ(inboxes.got[keys[1]], (Positions{1, 2, 3}));
  EXPECT_EQ(facts_sorted.Value(), 3);
  EXPECT_EQ(inbox_entries.Value(), 5);
}

TEST_F(SorterTest, what_is_sorted_is_on_disk_with_the_position_it_goes_up_to) {
  register_service(keys[0], "@.*");
  append("@a:x");
  ASSERT_TRUE(sort_all());
  const auto rows = read_decisions(*reader).value().front().rows;
  ASSERT_EQ(rows.size(), 1U);
  const auto groups = unpack_decisions(rows[0].after, rows[0].through, rows[0].data).value();
  EXPECT_EQ(positions_of(keys[0], groups), std::vector{StreamId{1}});
  EXPECT_EQ(read_streams(*reader).value()[0].sorted_through, StreamId{1});
}

TEST_F(SorterTest, a_decision_is_frozen_a_later_registration_gets_what_comes_later) {
  append("@a:x");
  ASSERT_TRUE(sort_all());
  register_service(keys[0], "@.*");
  append("@a:x");
  ASSERT_TRUE(sort_all());
  restart();
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2}));
}

TEST_F(SorterTest, nothing_is_decided_twice_after_a_restart) {
  register_service(keys[0], "@.*");
  append("@a:x");
  ASSERT_TRUE(sort_all());
  restart();
  append("@a:x");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1, 2}));
}

TEST_F(SorterTest, nothing_reaches_an_inbox_before_its_commit_and_everything_after) {
  register_service(keys[0], "@.*");
  append("@a:x");
  writer->fail_commits = true;
  runtime.run_for(seconds{10});
  EXPECT_TRUE(inboxes.got.empty());
  EXPECT_EQ(stream->sorted_through(), StreamId{0});
  writer->fail_commits = false;
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1}));
}

TEST_F(SorterTest, a_joined_user_makes_the_room_interesting_until_it_leaves) {
  register_service(keys[0], "@irc_.*");
  append("@a:x");
  append_membership("@irc_b:x", "join");
  append("@a:x");
  append_membership("@irc_b:x", "leave");
  append("@a:x");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 3, 4}));
}

TEST_F(SorterTest, who_is_joined_outlives_a_restart_and_a_new_registration) {
  append_membership("@irc_b:x", "join");
  ASSERT_TRUE(sort_all());
  restart();
  register_service(keys[0], "@irc_.*");
  append("@a:x");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2}));
}

TEST_F(SorterTest, room_state_of_a_failed_commit_is_taken_back) {
  register_service(keys[0], "@irc_.*");
  append_membership("@irc_b:x", "join");
  writer->fail_commits = true;
  runtime.run_for(seconds{10});
  writer->fail_commits = false;
  ASSERT_TRUE(sort_all());
  std::vector<std::string> joined;
  ASSERT_TRUE(read_members(*reader, stream->key(), [&](std::string_view, std::string_view user) {
    joined.emplace_back(user);
  }));
  EXPECT_EQ(joined, (std::vector<std::string>{"@irc_b:x"}));
}

TEST_F(SorterTest, a_backlog_is_decided_in_commits_of_a_bounded_number_of_facts) {
  register_service(keys[0], "@.*");
  run(sorter->stop());
  for (int i = 0; i < 10; ++i) append("@a:x");
  const int before = writer->commits;
  restart({.facts_max = 3});
  ASSERT_TRUE(sort_all());
  EXPECT_GE(writer->commits - before, 4);
  EXPECT_EQ(inboxes.got[keys[0]].size(), 10U);
}

TEST_F(SorterTest, a_deleted_service_gets_nothing_more) {
  register_service(keys[0], "@.*");
  append("@a:x");
  ASSERT_TRUE(sort_all());
  inboxes.services.clear();
  ++inboxes.version;
  append("@a:x");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1}));
}

TEST_F(SorterTest, a_server_name_makes_users_of_other_servers_strangers) {
  restart({.facts_max = 100}, "x");
  register_service(keys[0], "@irc_.*");
  append_membership("@irc_b:elsewhere", "join");
  append("@a:x");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1}));
}

}  // namespace
}  // namespace postrider
