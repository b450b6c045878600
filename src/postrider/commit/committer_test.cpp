#include "postrider/commit/committer.hpp"

#include <algorithm>

#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {
namespace {

using CommitterTest = StreamWorld;

Result<void> apply_nothing(SqlConnection&) {
  return {};
}
Result<void> apply_badly(SqlConnection&) {
  return fail(Code::storage_failed, "planted");
}

Result<void> insert_left(SqlConnection& connection) {
  TRY_VOID(put_stream(connection, "left", "plain", WallTime{}));
  return {};
}

Async<void> commit_and_keep(Committer& committer, std::function<Result<void>(SqlConnection&)> apply,
                            std::vector<Result<void>>& outcomes) {
  outcomes.push_back(co_await committer.commit(std::move(apply)));
}

TEST_F(CommitterTest, what_comes_during_a_commit_goes_together_into_the_next) {
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  gate.spawn(commit_and_keep(*committer, apply_nothing, outcomes), "first");
  auto during = [&](SqlConnection&) -> Result<void> {
    for (int i = 0; i < 50; ++i) {
      gate.spawn(commit_and_keep(*committer, apply_nothing, outcomes), "during");
    }
    return {};
  };
  gate.spawn(commit_and_keep(*committer, during, outcomes), "second");
  run(gate.drained());
  EXPECT_EQ(outcomes.size(), 52U);
  EXPECT_EQ(writer->commits, 2);
}

TEST_F(CommitterTest, writes_of_one_commit_share_a_failure_of_the_disk_and_leave_nothing) {
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  gate.spawn(commit_and_keep(*committer, insert_left, outcomes), "good");
  gate.spawn(commit_and_keep(*committer, apply_badly, outcomes), "bad");
  run(gate.drained());
  ASSERT_EQ(outcomes.size(), 2U);
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.error().detail, "planted");
  EXPECT_TRUE(read_streams(*reader).value().empty());

  EXPECT_TRUE(run(committer->commit(insert_left)));
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
}

/// Fails as a value does that breaks a rule of the database.
Result<void> apply_what_is_refused(SqlConnection& connection) {
  TRY_VOID(put_stream(connection, "refused", "plain", WallTime{}));
  return fail(Code::storage_refused, "planted");
}

TEST_F(CommitterTest, a_write_that_is_refused_fails_alone) {
  constexpr int count = 17;
  for (int culprit = 0; culprit < count; ++culprit) {
    Gate gate{runtime};
    std::vector<std::optional<Result<void>>> outcomes(count);
    std::string order;
    const auto commit = [&](int number) -> Async<void> {
      const std::size_t at = static_cast<std::size_t>(number);
      std::function<Result<void>(SqlConnection&)> apply = apply_what_is_refused;
      if (number != culprit) apply = apply_nothing;
      outcomes[at] = co_await committer->commit(std::move(apply));
      if (*outcomes[at]) order += static_cast<char>('a' + number);
    };
    for (int number = 0; number < count; ++number) gate.spawn(commit(number), "write");
    const int before = writer->commits;
    run(gate.drained());
    for (int number = 0; number < count; ++number) {
      const auto& outcome = outcomes[static_cast<std::size_t>(number)];
      ASSERT_TRUE(outcome);
      EXPECT_EQ(outcome->has_value(), number != culprit) << number;
    }
    EXPECT_TRUE(std::ranges::is_sorted(order)) << order;
    EXPECT_LE(writer->commits - before, 6) << "in halves, not one by one";
    EXPECT_TRUE(read_streams(*reader).value().empty());
  }
}

TEST_F(CommitterTest, of_two_writes_that_are_refused_both_fail_and_no_other) {
  Gate gate{runtime};
  std::vector<Result<void>> good;
  std::vector<Result<void>> bad;
  gate.spawn(commit_and_keep(*committer, apply_what_is_refused, bad), "bad");
  gate.spawn(commit_and_keep(*committer, insert_left, good), "good");
  gate.spawn(commit_and_keep(*committer, apply_what_is_refused, bad), "bad");
  run(gate.drained());
  ASSERT_EQ(bad.size(), 2U);
  for (const auto& outcome : bad) EXPECT_EQ(outcome.error().detail, "planted");
  ASSERT_EQ(good.size(), 1U);
  EXPECT_TRUE(good[0]);
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
}

TEST_F(CommitterTest, what_comes_while_a_commit_is_in_halves_goes_into_the_one_after) {
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  int applied = 0;
  const auto refused = [&](SqlConnection&) -> Result<void> {
    if (applied++ == 0) gate.spawn(commit_and_keep(*committer, insert_left, outcomes), "during");
    return fail(Code::storage_refused, "planted");
  };
  gate.spawn(commit_and_keep(*committer, refused, outcomes), "refused");
  gate.spawn(commit_and_keep(*committer, apply_nothing, outcomes), "beside it");
  run(gate.drained());
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_FALSE(outcomes[0]);
  EXPECT_TRUE(outcomes[1]);
  EXPECT_TRUE(outcomes[2]);
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
}

/// Counts what it is asked, and inserts a stream.
class CountingParticipant final : public CommitParticipant {
 public:
  bool prepare(CommitBudget&) override {
    ++prepared;
    return takes_part;
  }
  Result<void> apply(SqlConnection& connection) override {
    streams_before = read_streams(connection).value().size();
    TRY_VOID(put_stream(connection, "participant", "plain", WallTime{}));
    if (is_refused) return fail(Code::storage_refused, "planted");
    return {};
  }
  void finish(const Result<void>& outcome) override { outcomes.push_back(outcome); }

  bool takes_part = true;
  bool is_refused = false;
  int prepared = 0;
  std::size_t streams_before = 0;  ///< that `apply` found
  std::vector<Result<void>> outcomes;
};

TEST_F(CommitterTest, a_participant_writes_after_the_writes_of_one_commit) {
  CountingParticipant participant;
  committer->join_next(participant);
  ASSERT_TRUE(run(committer->commit(insert_left)));
  ASSERT_TRUE(run(committer->commit(apply_nothing)));
  EXPECT_EQ(participant.prepared, 1);
  EXPECT_EQ(participant.streams_before, 1U);
  ASSERT_EQ(participant.outcomes.size(), 1U);
  EXPECT_TRUE(participant.outcomes[0]);
  EXPECT_EQ(read_streams(*reader).value().size(), 2U);
  EXPECT_EQ(writer->commits, 2);
}

TEST_F(CommitterTest, a_participant_shares_the_failure_of_the_writes) {
  CountingParticipant participant;
  committer->join_next(participant);
  EXPECT_FALSE(run(committer->commit(apply_badly)));
  ASSERT_EQ(participant.outcomes.size(), 1U);
  EXPECT_EQ(participant.outcomes[0].error().detail, "planted");
  EXPECT_TRUE(read_streams(*reader).value().empty());
}

TEST_F(CommitterTest, a_participant_that_is_refused_fails_without_the_writes) {
  CountingParticipant participant;
  participant.is_refused = true;
  committer->join_next(participant);
  EXPECT_TRUE(run(committer->commit(insert_left)));
  ASSERT_EQ(participant.outcomes.size(), 1U);
  EXPECT_EQ(participant.outcomes[0].error().detail, "planted");
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
}

TEST_F(CommitterTest, a_write_that_is_refused_fails_without_those_that_have_a_participant) {
  CountingParticipant participant;
  committer->join_next(participant);
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  gate.spawn(commit_and_keep(*committer, apply_what_is_refused, outcomes), "bad");
  gate.spawn(commit_and_keep(*committer, insert_left, outcomes), "good");
  run(gate.drained());
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_FALSE(outcomes[0]);
  EXPECT_TRUE(outcomes[1]);
  EXPECT_EQ(participant.outcomes.size(), 1U);
}

TEST_F(CommitterTest, a_participant_that_is_always_refused_stops_no_other_one) {
  CountingParticipant bad;
  CountingParticipant good;
  bad.is_refused = true;
  for (int round = 0; round < 4; ++round) {
    committer->join_next(bad);
    committer->join_next(good);
    EXPECT_TRUE(run(committer->commit(apply_nothing)));
    EXPECT_TRUE(run(committer->commit(apply_nothing)));
  }
  EXPECT_TRUE(std::ranges::none_of(bad.outcomes, &Result<void>::has_value));
  const auto refused = std::ranges::count(good.outcomes, false, &Result<void>::has_value);
  EXPECT_EQ(refused, 1) << "only with the first of them, before it was known which one it is";
  EXPECT_GE(std::ssize(good.outcomes), 3);

  bad.is_refused = false;
  committer->join_next(bad);
  EXPECT_TRUE(run(committer->commit(apply_nothing)));
  const auto before = std::ssize(bad.outcomes);
  committer->join_next(good);
  committer->join_next(bad);
  EXPECT_TRUE(run(committer->commit(apply_nothing)));
  EXPECT_EQ(std::ssize(bad.outcomes), before + 1) << "with the other one again";
}

TEST_F(CommitterTest, who_joined_and_does_not_take_part_writes_nothing_and_hears_nothing) {
  CountingParticipant participant;
  participant.takes_part = false;
  committer->join_next(participant);
  ASSERT_TRUE(run(committer->commit(apply_nothing)));
  EXPECT_EQ(participant.prepared, 1);
  EXPECT_TRUE(participant.outcomes.empty());
  EXPECT_TRUE(read_streams(*reader).value().empty());
}

TEST_F(CommitterTest, who_leaves_is_not_asked_any_more_and_waits_for_what_it_takes_part_in) {
  CountingParticipant participant;
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  committer->join_next(participant);
  const auto leave_during = [&](SqlConnection&) -> Result<void> {
    committer->join_next(participant);
    gate.spawn(committer->leave(&participant), "leaving");
    return {};
  };
  gate.spawn(commit_and_keep(*committer, leave_during, outcomes), "commit");
  run(gate.drained());
  EXPECT_EQ(participant.outcomes.size(), 1U);
  ASSERT_TRUE(run(committer->commit(apply_nothing)));
  EXPECT_EQ(participant.prepared, 1);
}

TEST_F(CommitterTest, a_commit_is_prepared_when_the_one_before_has_ended) {
  std::string order;
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  const auto commit_prepared = [&]() -> Async<void> {
    std::function<void()> prepare = [&order] { order += 'p'; };
    std::function<Result<void>(SqlConnection&)> apply = [&order](SqlConnection&) -> Result<void> {
      order += 'a';
      return {};
    };
    outcomes.push_back(co_await committer->commit(std::move(prepare), std::move(apply)));
  };
  const auto during = [&](SqlConnection&) -> Result<void> {
    gate.spawn(commit_prepared(), "second");
    order += '1';
    return {};
  };
  gate.spawn(commit_and_keep(*committer, during, outcomes), "first");
  run(gate.drained());
  EXPECT_EQ(order, "1pa");
}

TEST_F(CommitterTest, a_sync_that_fails_fails_the_write) {
  writer->fail_commits = true;
  EXPECT_EQ(run(committer->commit(apply_nothing)).error().code, Code::storage_full);
  writer->fail_commits = false;
  EXPECT_TRUE(run(committer->commit(apply_nothing)));
}

TEST_F(CommitterTest, a_database_that_is_away_for_a_moment_is_tried_again) {
  writer->commits_refused = 3;
  EXPECT_TRUE(run(committer->commit(insert_left)));
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
}

TEST_F(CommitterTest, pauses_grow_while_a_database_is_away) {
  using std::chrono::milliseconds;
  writer->commits_refused = 1'000'000;
  std::vector<MonoTime> tried;
  auto note = [this, &tried](SqlConnection&) -> Result<void> {
    tried.push_back(runtime.now());
    return {};
  };
  EXPECT_FALSE(run(committer->commit(note)));
  std::vector<Duration> pauses;
  for (std::size_t i = 1; i < tried.size(); ++i) pauses.push_back(tried[i] - tried[i - 1]);
  ASSERT_GE(pauses.size(), 8U);
  for (std::size_t i = 0; i < pauses.size(); ++i) {
    EXPECT_EQ(pauses[i], std::min(milliseconds{50} * (1 << i), milliseconds{2000})) << i;
  }
}

TEST_F(CommitterTest, a_database_that_stays_away_fails_the_write) {
  writer->commits_refused = 1'000'000;
  EXPECT_EQ(run(committer->commit(insert_left)).error().code, Code::storage_unavailable);
  writer->commits_refused = 0;
  EXPECT_TRUE(run(committer->commit(apply_nothing)));
  EXPECT_TRUE(read_streams(*reader).value().empty());
}

TEST_F(CommitterTest, a_commit_whose_answer_was_lost_happens_once_however_long_the_doubt) {
  writer->answers_lost = 1;
  writer->doubts = 100;
  const MonoTime before = runtime.now();
  EXPECT_TRUE(run(committer->commit(insert_left)));
  EXPECT_GT(runtime.now() - before, std::chrono::minutes{1});
  EXPECT_EQ(writer->commits, 1);
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
}

/// Needs something that comes before the transaction, and fails at that from the second time on.
class DrawsOnce final : public Write {
 public:
  explicit DrawsOnce(std::optional<Result<void>>& outcome) : outcome_(outcome) {}

  [[nodiscard]] bool reserves() const override { return true; }
  Result<void> reserve(SqlConnection&) override {
    if (draws_++ > 0) return fail(Code::storage_failed, "planted");
    return {};
  }
  Result<void> apply(SqlConnection&) override { return {}; }
  void finish(const Result<void>& outcome) override { outcome_ = outcome; }

 private:
  std::optional<Result<void>>& outcome_;
  int draws_ = 0;
};

TEST_F(CommitterTest, a_doubt_is_settled_before_anything_else_can_fail) {
  std::optional<Result<void>> outcome;
  writer->answers_lost = 1;
  writer->doubts = 3;
  writer->refused_once = "SELECT beats";
  writer->refusal = Code::storage_failed;
  committer->submit(std::make_unique<DrawsOnce>(outcome));
  runtime.run_for(std::chrono::minutes{1});
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(*outcome);
  EXPECT_EQ(writer->commits, 1);
  EXPECT_TRUE(run(committer->commit(insert_left)));
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
}

TEST_F(CommitterTest, a_doubt_that_nobody_can_settle_does_not_answer_for_the_next_session) {
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  writer->answers_lost = 1;
  writer->doubts = 3;
  gate.spawn(commit_and_keep(*committer, apply_nothing, outcomes), "in doubt");
  runtime.run_until([this] { return writer->commits == 1; });
  const auto connection = database.connect_writer("other");
  ASSERT_TRUE(begin_session(*connection, "test", wall_time(1)));
  run(gate.drained());
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].error().code, Code::session_ended);

  writer->doubts = 0;
  session.on_begun(begin_session(*writer, "test", wall_time(2)).value(), runtime.now());
  EXPECT_TRUE(run(committer->commit(insert_left)));
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
}

/// The connection that writes is lost and does not come back.
class WriterLostInDoubt : public CommitterTest {
 protected:
  WriterLostInDoubt() {
    writer->doubts = 1'000'000;
    gate.spawn(commit_and_keep(*committer, insert_left, outcomes), "in doubt");
  }
  void end_own_session() {
    runtime.run_for(std::chrono::minutes{1});
    EXPECT_TRUE(outcomes.empty()) << "it may yet land";
    EXPECT_FALSE(committer->reaches_database());
    const auto other = database.connect_writer("other");
    EXPECT_TRUE(end_session(*other, session.instance(), session.key(), wall_time(1)));
    run(gate.drained());
  }

  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
};

TEST_F(WriterLostInDoubt, another_one_tells_that_it_has_happened_once_the_session_has_ended) {
  writer->answers_lost = 1;
  end_own_session();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_TRUE(outcomes[0]) << outcomes[0].error().detail;
  EXPECT_EQ(read_streams(*reader).value().size(), 1U);
  EXPECT_TRUE(committer->reaches_database());
}

TEST_F(WriterLostInDoubt, another_one_tells_that_it_has_not_happened_once_the_session_has_ended) {
  writer->commits_lost = 1;
  end_own_session();
  ASSERT_EQ(outcomes.size(), 1U);
  ASSERT_FALSE(outcomes[0]);
  EXPECT_EQ(outcomes[0].error().code, Code::session_ended);
  EXPECT_TRUE(read_streams(*reader).value().empty());
}

TEST_F(WriterLostInDoubt, what_is_queued_behind_it_fails_after_a_while_and_leaves_nothing) {
  writer->answers_lost = 1;
  runtime.run_for(std::chrono::seconds{5});
  std::vector<Result<void>> behind;
  gate.spawn(commit_and_keep(*committer, insert_left, behind), "behind it");
  runtime.run_for(std::chrono::seconds{5});
  EXPECT_TRUE(behind.empty());
  runtime.run_for(std::chrono::seconds{10});
  ASSERT_EQ(behind.size(), 1U);
  EXPECT_EQ(behind[0].error().code, Code::storage_unavailable);
  writer->doubts = 0;
  run(gate.drained());
  EXPECT_TRUE(outcomes.at(0));
  EXPECT_EQ(writer->commits, 1);
}

TEST_F(CommitterTest, tells_whether_it_reaches_the_database) {
  EXPECT_TRUE(committer->reaches_database());
  writer->commits_refused = 1'000'000;
  EXPECT_FALSE(run(committer->commit(insert_left)));
  EXPECT_FALSE(committer->reaches_database());
  writer->commits_refused = 1;
  EXPECT_TRUE(run(committer->commit(insert_left)));
  EXPECT_TRUE(committer->reaches_database());
}

TEST_F(CommitterTest, a_stop_does_not_wait_for_a_database_that_is_away) {
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  writer->commits_refused = 1'000'000;
  gate.spawn(commit_and_keep(*committer, insert_left, outcomes), "left");
  runtime.run_for(std::chrono::seconds{1});
  EXPECT_TRUE(outcomes.empty());
  run(committer->stop());
  run(gate.drained());
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].error().code, Code::storage_unavailable);
}

TEST_F(CommitterTest, a_doubt_that_a_stop_leaves_does_not_answer_for_what_is_queued_behind_it) {
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  writer->answers_lost = 1;
  writer->doubts = 1;
  gate.spawn(commit_and_keep(*committer, apply_nothing, outcomes), "in doubt");
  runtime.run_until([this] { return writer->doubts == 0; });
  writer->doubts = 1;
  gate.spawn(commit_and_keep(*committer, insert_left, outcomes), "behind it");
  run(committer->stop());
  run(gate.drained());
  ASSERT_EQ(outcomes.size(), 2U);
  for (const auto& outcome : outcomes) EXPECT_FALSE(outcome);
  EXPECT_TRUE(read_streams(*reader).value().empty());
}

TEST_F(CommitterTest, stopping_commits_what_was_submitted_and_refuses_what_comes_later) {
  Gate gate{runtime};
  std::vector<Result<void>> outcomes;
  gate.spawn(commit_and_keep(*committer, apply_nothing, outcomes), "before");
  runtime.run_until([this] { return writer->commits == 1; });
  run(committer->stop());
  gate.spawn(commit_and_keep(*committer, apply_nothing, outcomes), "after");
  run(gate.drained());
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_TRUE(outcomes[0]);
  EXPECT_EQ(outcomes[1].error().code, Code::stopping);
}

}  // namespace
}  // namespace postrider
