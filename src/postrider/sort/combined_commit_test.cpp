// The commit that appends facts carries the decisions on them.
#include "postrider/sort/testing/type_sorter_world.hpp"

namespace postrider {
namespace {

using std::chrono::seconds;

/// Notes what happens to it.
class NotedWrite final : public InboxWrite {
 public:
  explicit NotedWrite(std::string& notes) : notes_(notes) {}

  Result<void> apply(SqlConnection&) override {
    notes_ += 'a';
    return {};
  }
  void finish(bool is_committed) override { notes_ += is_committed ? '+' : '-'; }

 private:
  std::string& notes_;
};

class CombinedCommit : public TypeSorterWorld {
 protected:
  CombinedCommit() {
    ask_for(keys[0], "a");
    restart();
    // Interests are adopted with the first fact.
    append("none");
    EXPECT_TRUE(sort_all());
    EXPECT_EQ(stream->sorted_through(), StreamId{1});
    writer->commits = 0;
  }

  std::shared_ptr<const FactBatch> batch_of(std::string_view type) {
    return parse_facts(fmt::format("{{\"type\":\"{}\"}}", type), BodyKind::json, *format, {})
        .value();
  }
  void append_in_vain(std::string_view type) {
    EXPECT_FALSE(run(stream->append(batch_of(type), std::nullopt)));
  }
  bool append_if(std::string_view type, bool holds) {
    const AppendCondition condition = [holds](SqlConnection&, IdRange) { return holds; };
    return run(stream->append_if(batch_of(type), condition)).value().has_value();
  }
  StreamId stored_position() { return read_sorted_through(*reader, stream->key()).value(); }
};

TEST_F(CombinedCommit, decides_on_what_it_appends) {
  append("a");
  append_together({"b", "a"});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(writer->commits, 2);
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 4}));
  EXPECT_EQ(stored_position(), StreamId{4});
  EXPECT_EQ(stored_rows().size(), 2U);
  EXPECT_EQ(tail.rows().size(), 2U);
  EXPECT_EQ(facts_unwanted.Value(), 2);
}

TEST_F(CombinedCommit, has_decided_when_it_is_on_disk) {
  StreamId at_commit;
  writer->before_commit = [&] {
    at_commit = read_sorted_through(*writer, stream->key()).value();
    EXPECT_EQ(stream->sorted_through(), StreamId{1});
    EXPECT_TRUE(inboxes.got.empty());
  };
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(at_commit, StreamId{2});
}

TEST_F(CombinedCommit, leaves_nothing_when_it_fails_and_decides_anew) {
  const int opened = policy.opened;
  writer->fail_commits = true;
  append_in_vain("a");
  EXPECT_TRUE(inboxes.got.empty());
  EXPECT_TRUE(tail.rows().empty());
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
  writer->fail_commits = false;
  append("b");
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(policy.opened, opened + 1);
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{4}));  // 2 is given up
  EXPECT_EQ(stored_position(), StreamId{4});
}

TEST_F(CombinedCommit, that_the_database_refuses_for_a_decision_is_made_without_it) {
  const int opened = policy.opened;
  writer->refused_once = "INSERT INTO decisions";
  writer->refusal = Code::storage_refused;
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(policy.opened, opened + 1);
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2}));
  EXPECT_EQ(stored_position(), StreamId{2});
  EXPECT_EQ(stream->linear_position(), StreamId{2}) << "it has the ID of the first attempt";
}

TEST_F(CombinedCommit, leaves_an_append_with_a_condition_to_the_next_one) {
  EXPECT_TRUE(append_if("a", true));
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(writer->commits, 2);
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2}));
  EXPECT_FALSE(append_if("a", false));
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 4}));  // 3 is given up
}

TEST_F(CombinedCommit, decides_nothing_on_an_append_whose_key_is_taken_in_it) {
  const auto another = open_stream({}, StreamId{1});  // of the same row, as another process has it
  const IdempotencyKey key{"k", "digest"};
  Gate gate{runtime};
  std::vector<AppendReceipt> receipts;
  const auto append_to = [&](Stream* to) -> Async<void> {
    receipts.push_back((co_await to->append(batch_of("a"), key)).value());
  };
  gate.spawn(append_to(another.get()), "another");
  gate.spawn(append_to(stream.get()), "this");
  run(gate.drained());
  ASSERT_EQ(receipts.size(), 2U);
  EXPECT_FALSE(receipts[0].repeated);
  EXPECT_TRUE(receipts[1].repeated);
  EXPECT_TRUE(inboxes.got.empty());
  EXPECT_TRUE(stored_rows().empty());
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
}

TEST_F(CombinedCommit, is_decided_by_the_interests_that_there_are_when_it_begins) {
  writer->before_commit = [this] { ask_for(keys[1], "a"); };
  append("a");
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 3}));
  EXPECT_EQ(inboxes.got[keys[1]], (Positions{3}));
}

TEST_F(CombinedCommit, appends_though_decisions_wait_to_be_folded_and_decides_later) {
  fill_tail();
  append("a");
  append("a");
  runtime.run_for(seconds{10});
  EXPECT_EQ(stream->linear_position(), StreamId{3});
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
  tail.fold(StreamId{1});
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 3, 4}));
}

TEST_F(CombinedCommit, decides_in_order_on_what_waits_and_what_it_appends) {
  restart({.facts_max = 2, .entries_max = 2});
  append_together({"a", "a", "a", "b", "a", "a"});
  append_together({"a", "b", "a"});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 3, 4, 6, 7, 8, 10}));
  EXPECT_EQ(stored_position(), StreamId{10});
}

/// Leaves nothing for others.
class Greedy final : public CommitParticipant {
 public:
  bool prepare(CommitBudget& budget) override {
    found = std::exchange(budget.decisions, 0);
    return false;
  }
  Result<void> apply(SqlConnection&) override { return {}; }
  void finish(const Result<void>&) override {}

  std::int64_t found = -1;
};

TEST_F(CombinedCommit, decides_nothing_when_its_budget_is_used_up_and_the_next_one_does) {
  Greedy greedy;
  committer->join_next(greedy);
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(writer->commits, 2);
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2}));
}

TEST_F(CombinedCommit, takes_what_it_decides_from_the_budget) {
  Greedy greedy;
  const auto batch = batch_of("a");
  Gate gate{runtime};
  const auto append_one = [&]() -> Async<void> {
    EXPECT_TRUE(co_await stream->append(batch, std::nullopt));
  };
  const auto join_after_the_sorter = [&]() -> Async<void> {
    std::function<void()> join = [&] { committer->join_next(greedy); };
    std::function<Result<void>(SqlConnection&)> nothing = [](SqlConnection&) {
      return Result<void>{};
    };
    EXPECT_TRUE(co_await committer->commit(std::move(join), std::move(nothing)));
  };
  gate.spawn(append_one(), "append");
  gate.spawn(join_after_the_sorter(), "join");
  run(gate.drained());
  EXPECT_EQ(greedy.found, CommitBudget{}.decisions - 2);  // a fact, and one entry
}

TEST_F(CombinedCommit, is_not_given_up_by_a_stop) {
  Gate gate{runtime};
  writer->before_commit = [&] { gate.spawn(sorter->stop(), "stop"); };
  append("a");
  run(gate.drained());
  EXPECT_EQ(stream->sorted_through(), StreamId{2});
  EXPECT_EQ(stored_position(), StreamId{2});
  append("a");
  runtime.run_for(seconds{10});
  EXPECT_EQ(stored_position(), StreamId{2});
}

TEST_F(CombinedCommit, carries_what_follows_for_the_receivers) {
  std::string notes;
  inboxes.prepare = [&](const DecidedFacts& decided) -> std::unique_ptr<InboxWrite> {
    EXPECT_EQ(decided.stream, stream->key());
    EXPECT_EQ(decided.positions.at(keys[0]).size(), 1U);
    notes += 'p';
    return std::make_unique<NotedWrite>(notes);
  };
  append("b");
  EXPECT_EQ(notes, "");
  append("a");
  EXPECT_EQ(notes, "pa+");
  writer->fail_commits = true;
  append_in_vain("a");
  EXPECT_EQ(notes, "pa+pa-");
}

TEST_F(CombinedCommit, of_decisions_alone_carries_it_too) {
  std::string notes;
  inboxes.prepare = [&](const DecidedFacts&) { return std::make_unique<NotedWrite>(notes); };
  restart();
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(writer->commits, 2);
  EXPECT_EQ(notes, "a+");
}

}  // namespace
}  // namespace postrider
