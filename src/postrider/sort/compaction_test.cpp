#include "postrider/sort/compaction.hpp"

#include <optional>

#include "postrider/sort/testing/decision_world.hpp"

namespace postrider {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class Folding : public DecisionWorld {
 protected:
  using Blocks = std::vector<Positions>;

  StreamId compacted_through() { return read_compacted_through(*reader, events).value(); }
  std::size_t stored_rows(StreamKey of) {
    const auto all = read_decisions(*reader).value();
    for (const StoredDecisions& each : all) {
      if (each.stream == of) return each.rows.size();
    }
    return 0;
  }
  DecisionTail& tail() { return tails->of(events); }

  StreamKey events = add_stream_row("events");
  ServiceKey a = add_service_row("a");
  ServiceKey b = add_service_row("b");
  ServiceKey c = add_service_row("c");
};

TEST_F(Folding, writes_blocks_of_the_services_that_have_not_acknowledged_and_of_no_others) {
  decide(events, {{{a, b}, {1, 2, 5}}, {{b}, {3}}});
  acknowledge(a, events, 5);
  ASSERT_TRUE(fold_oldest(events));
  EXPECT_EQ(folded(a, events), (Blocks{}));
  EXPECT_EQ(folded(b, events), (Blocks{{1, 2, 3, 5}}));
  EXPECT_EQ(folded(c, events), (Blocks{}));
}

TEST_F(Folding, the_row_its_blocks_and_how_far_that_was_done_change_in_one_commit) {
  decide(events, {{{a}, {1, 2}}});
  decide(events, {{{a}, {3}}});
  const int before = writer->commits;
  ASSERT_TRUE(fold_oldest(events));
  EXPECT_EQ(writer->commits, before + 1);
  EXPECT_EQ(stored_rows(events), 1U);
  EXPECT_EQ(compacted_through(), StreamId{2});
  EXPECT_EQ(tail().begin(), StreamId{2});
  EXPECT_EQ(tail().rows().size(), 1U);
}

TEST_F(Folding, a_commit_that_fails_changes_nothing) {
  decide(events, {{{a}, {1, 2}}});
  ASSERT_TRUE(fold_oldest(events));
  decide(events, {{{a, b}, {3}}});
  const std::size_t bytes = tail().bytes();
  writer->fail_commits = true;
  EXPECT_EQ(fold_oldest(events).error().code, Code::storage_full);
  writer->fail_commits = false;
  EXPECT_EQ(folded(a, events), (Blocks{{1, 2}}));
  EXPECT_EQ(folded(b, events), (Blocks{}));
  EXPECT_EQ(stored_rows(events), 1U);
  EXPECT_EQ(compacted_through(), StreamId{2});
  EXPECT_EQ(tail().begin(), StreamId{2});
  EXPECT_EQ(tail().rows().size(), 1U);
  EXPECT_EQ(tail().bytes(), bytes);
  ASSERT_TRUE(fold_oldest(events));
  EXPECT_EQ(folded(a, events), (Blocks{{1, 2, 3}}));
  EXPECT_EQ(folded(b, events), (Blocks{{3}}));
}

TEST_F(Folding, a_commit_that_is_tried_again_folds_once) {
  decide(events, {{{a}, {1, 2}}});
  ASSERT_TRUE(fold_oldest(events));
  decide(events, {{{a}, {3}}});
  writer->commits_refused = 2;
  ASSERT_TRUE(fold_oldest(events));
  EXPECT_EQ(folded(a, events), (Blocks{{1, 2, 3}}));
}

TEST_F(Folding, what_a_service_has_acknowledged_inside_a_row_is_left_out) {
  decide(events, {{{a, b}, run_of(1, 9)}});
  acknowledge(a, events, 6);
  ASSERT_TRUE(fold_oldest(events));
  EXPECT_EQ(folded(a, events), (Blocks{{7, 8, 9}}));
  EXPECT_EQ(folded(b, events), (Blocks{run_of(1, 9)}));
}

TEST_F(Folding, what_is_acknowledged_of_another_stream_counts_for_that_one) {
  const StreamKey other = add_stream_row("other");
  decide(events, {{{a}, {1, 2}}});
  decide(other, {{{a}, {1, 2, 3}}});
  acknowledge(a, other, 3);
  fold_all(events);
  EXPECT_EQ(folded(a, events), (Blocks{{1, 2}}));
  EXPECT_EQ(folded(a, other), (Blocks{}));
  EXPECT_EQ(tails->of(other).rows().size(), 1U);
  EXPECT_EQ(stored_rows(other), 1U);
}

TEST_F(Folding, a_block_that_is_not_full_goes_on) {
  const WallTime first = runtime.wall_now();
  decide(events, {{{a}, {1, 4}}});
  fold_all(events);
  runtime.run_for(seconds{1});
  decide(events, {{{a}, {5}}, {{b}, {6}}});
  fold_all(events);
  runtime.run_for(seconds{1});
  decide(events, {{{a}, {600}}});
  fold_all(events);
  EXPECT_EQ(folded(a, events), (Blocks{{1, 4, 5, 600}}));
  EXPECT_EQ(blocks_of(a, events).front().appended_at, first);
  EXPECT_EQ(folded(b, events), (Blocks{{6}}));
  EXPECT_EQ(blocks_of(b, events).front().appended_at, first + seconds{1});
}

TEST_F(Folding, a_block_goes_on_until_it_is_full_and_then_there_is_a_new_one) {
  constexpr std::int64_t full = Compaction::block_facts_max;
  decide(events, {{{a}, run_of(1, full - 1)}});
  fold_all(events);
  decide(events, {{{a}, {full}}});
  fold_all(events);
  EXPECT_EQ(folded(a, events), (Blocks{run_of(1, full)}));
  runtime.run_for(seconds{1});
  decide(events, {{{a}, {full + 1}}});
  fold_all(events);
  EXPECT_EQ(folded(a, events), (Blocks{run_of(1, full), {full + 1}}));
  EXPECT_EQ(blocks_of(a, events).back().appended_at, runtime.wall_now());
}

TEST_F(Folding, a_row_that_fills_the_last_block_goes_on_in_new_ones) {
  decide(events, {{{a}, run_of(1, 400)}});
  fold_all(events);
  decide(events, {{{a}, run_of(401, 2700)}});
  fold_all(events);
  EXPECT_EQ(folded(a, events), (Blocks{run_of(1, 1000), run_of(1001, 2000), run_of(2001, 2700)}));
}

TEST_F(Folding, a_block_that_goes_on_keeps_what_is_acknowledged_of_it) {
  decide(events, {{{a}, {1, 2, 3}}});
  fold_all(events);
  acknowledge(a, events, 2);
  decide(events, {{{a}, {4}}});
  fold_all(events);
  EXPECT_EQ(folded(a, events), (Blocks{{1, 2, 3, 4}}));
}

TEST_F(Folding, a_deleted_service_gets_no_block_and_the_others_do) {
  decide(events, {{{a, b}, {1, 2}}});
  ASSERT_TRUE(delete_service(*writer, a));
  fold_all(events);
  EXPECT_EQ(folded(a, events), (Blocks{}));
  EXPECT_EQ(folded(b, events), (Blocks{{1, 2}}));
  EXPECT_EQ(stored_rows(events), 0U);
}

TEST_F(Folding, rows_that_everybody_has_acknowledged_are_deleted) {
  decide(events, {{{a, b}, {1, 2}}});
  decide(events, {{{b}, {3}}});
  acknowledge(a, events, 2);
  acknowledge(b, events, 3);
  fold_all(events);
  EXPECT_TRUE(read_inbox_ends(*reader).value().empty());
  EXPECT_EQ(stored_rows(events), 0U);
  EXPECT_EQ(compacted_through(), StreamId{3});
}

TEST_F(Folding, several_rows_go_together_up_to_what_a_step_may_cost) {
  for (std::int64_t at = 1; at <= 5; ++at) decide(events, {{{a, b}, {2 * at, 2 * at + 1}}});
  const std::int64_t row = DecisionTail::cost(tail().oldest(1, {}));
  Compaction compaction(runtime, *committer, *tails, {.step_cost = 3 * row});
  const int before = writer->commits;
  EXPECT_EQ(run(compaction.fold_step(events, {})).value(), 3 * row);
  EXPECT_EQ(writer->commits, before + 1);
  EXPECT_EQ(tail().rows().size(), 2U);
  EXPECT_EQ(compacted_through(), StreamId{7});
  EXPECT_EQ(run(compaction.fold_step(events, {})).value(), 2 * row);
  EXPECT_EQ(folded(a, events), (Blocks{run_of(2, 11)}));
  EXPECT_EQ(folded(b, events), (Blocks{run_of(2, 11)}));
}

TEST_F(Folding, facts_of_several_groups_stand_in_order_in_the_block) {
  decide(events, {{{a}, {1, 6}}, {{a, b}, {2, 5, 9}}, {{a, c}, {3, 7}}, {{b}, {4}}});
  fold_all(events);
  EXPECT_EQ(folded(a, events), (Blocks{{1, 2, 3, 5, 6, 7, 9}}));
  EXPECT_EQ(folded(b, events), (Blocks{{2, 4, 5, 9}}));
  EXPECT_EQ(folded(c, events), (Blocks{{3, 7}}));
}

TEST_F(Folding, what_the_tail_holds_after_a_restart_is_what_was_not_folded) {
  decide(events, {{{a}, {1}}});
  decide(events, {{{a}, {2}}});
  ASSERT_TRUE(fold_oldest(events));
  load_decisions();
  EXPECT_EQ(tail().begin(), StreamId{1});
  ASSERT_EQ(tail().rows().size(), 1U);
  EXPECT_EQ(tail().rows().front()->through, StreamId{2});
}

/// Compaction as it runs by itself.
class RunningCompaction : public Folding {
 protected:
  ~RunningCompaction() override {
    if (compaction) run(compaction->stop());
  }

  void start(CompactionSettings settings, Duration retain = Duration::max()) {
    compaction.emplace(runtime, *committer, *tails, settings);
    compaction->watch(events, retain);
    compaction->start();
  }
  void decide_next() {
    decide(events, {{{a}, {next_}}});
    ++next_;
  }
  std::size_t rows() { return tail().rows().size(); }
  /// Of one row.
  std::size_t row_bytes() {
    if (row_bytes_ == 0) {
      DecisionTail one(runtime);
      one.add(
          {.after = StreamId{0},
           .through = StreamId{1},
           .entries = 1,
           .appended_at = {},
           .data = pack_decisions(StreamId{0}, std::vector<DecisionGroup>{{{a}, {StreamId{1}}}})});
      row_bytes_ = one.bytes();
    }
    return row_bytes_;
  }

  std::optional<Compaction> compaction;

 private:
  std::int64_t next_ = 1;
  std::size_t row_bytes_ = 0;
};

TEST_F(RunningCompaction, leaves_a_tail_that_is_short_and_young) {
  start({.tail_bytes = 3 * row_bytes(), .row_age_max = minutes{1}});
  decide_next();
  decide_next();
  runtime.run_for(seconds{59});
  EXPECT_EQ(rows(), 2U);
  EXPECT_TRUE(read_inbox_ends(*reader).value().empty());
}

TEST_F(RunningCompaction, folds_the_oldest_rows_of_a_tail_that_is_too_long) {
  start({.tail_bytes = 3 * row_bytes(), .row_age_max = minutes{1}, .step_cost = 1});
  for (int i = 0; i < 5; ++i) decide_next();
  runtime.run_for(seconds{1});
  EXPECT_EQ(rows(), 2U);
  EXPECT_EQ(folded(a, events), (Blocks{{1, 2, 3}}));
}

TEST_F(RunningCompaction, folds_a_row_that_is_too_old_and_not_the_one_after_it) {
  start({.tail_bytes = 1U << 20, .row_age_max = minutes{1}, .step_cost = 1});
  decide_next();
  runtime.run_for(seconds{30});
  decide_next();
  runtime.run_for(seconds{29});
  EXPECT_EQ(rows(), 2U);
  runtime.run_for(seconds{2});
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(folded(a, events), (Blocks{{1}}));
  runtime.run_for(seconds{30});
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(folded(a, events), (Blocks{{1, 2}}));
}

TEST_F(RunningCompaction, folds_what_was_old_already_when_it_started) {
  decide_next();
  runtime.run_for(minutes{10});
  start({.tail_bytes = 1U << 20, .row_age_max = minutes{1}});
  runtime.run_for(seconds{1});
  EXPECT_EQ(rows(), 0U);
}

TEST_F(RunningCompaction, keeps_a_young_row_when_it_folds_an_old_one) {
  start({.tail_bytes = 1U << 20, .row_age_max = minutes{1}});
  decide_next();
  runtime.run_for(seconds{59});
  decide_next();
  runtime.run_for(seconds{2});
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(folded(a, events), (Blocks{{1}}));
}

TEST_F(RunningCompaction, folds_a_row_once_its_facts_need_not_be_kept) {
  start({.tail_bytes = 1U << 20, .row_age_max = minutes{1}}, seconds{10});
  decide_next();
  runtime.run_for(seconds{9});
  EXPECT_EQ(rows(), 1U);
  runtime.run_for(seconds{2});
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(folded(a, events), (Blocks{{1}}));
}

TEST_F(RunningCompaction, counts_the_age_of_a_row_from_its_decision) {
  start({.tail_bytes = 1U << 20, .row_age_max = minutes{1}});
  decide(events, {{{a}, {1}}}, runtime.wall_now() - std::chrono::hours{1});
  runtime.run_for(seconds{59});
  EXPECT_EQ(rows(), 1U);
  runtime.run_for(seconds{2});
  EXPECT_EQ(rows(), 0U);
}

TEST_F(RunningCompaction, each_stream_is_watched_for_itself_also_when_it_comes_later) {
  start({.tail_bytes = 1, .row_age_max = minutes{1}});
  const StreamKey late = add_stream_row("late");
  const StreamKey unwatched = add_stream_row("unwatched");
  compaction->watch(late);
  decide(late, {{{a}, {1, 2}}});
  decide(unwatched, {{{a}, {1, 2}}});
  decide_next();
  runtime.run_for(seconds{1});
  EXPECT_EQ(folded(a, late), (Blocks{{1, 2}}));
  EXPECT_EQ(folded(a, events), (Blocks{{1}}));
  EXPECT_EQ(stored_rows(unwatched), 1U);
}

TEST_F(RunningCompaction, does_nothing_before_it_is_started) {
  compaction.emplace(runtime, *committer, *tails, CompactionSettings{.tail_bytes = 1});
  compaction->watch(events);
  decide_next();
  runtime.run_for(minutes{10});
  EXPECT_EQ(rows(), 1U);
  compaction->start();
  runtime.run_for(seconds{1});
  EXPECT_EQ(rows(), 0U);
}

TEST_F(RunningCompaction, rests_after_each_step_for_what_it_cost) {
  for (int i = 0; i < 4; ++i) decide_next();
  const std::int64_t cost = DecisionTail::cost(tail().oldest(1, {}));
  start({.tail_bytes = 1, .row_age_max = minutes{1}, .step_cost = 1, .cost_per_second = cost});
  runtime.run_for(Duration(seconds{2}) - std::chrono::milliseconds{100});
  EXPECT_EQ(rows(), 2U);
  decide_next();  // which does not wake it
  runtime.run_for(std::chrono::milliseconds{50});
  EXPECT_EQ(rows(), 3U);
  runtime.run_for(std::chrono::milliseconds{100});
  EXPECT_EQ(rows(), 2U);
}

TEST_F(RunningCompaction, does_not_rest_while_the_tail_is_full) {
  // More than one step makes room again.
  for (std::int64_t at = 1; tail().bytes() < DecisionTail::bytes_max + 250'000; at += 100'000) {
    decide(events, {{{a}, run_of(at, at + 99'999)}});
    acknowledge(a, events, at + 99'999);
  }
  start({.step_cost = 1, .cost_per_second = 1});
  const MonoTime before = runtime.now();
  ASSERT_TRUE(runtime.run_until([this] { return !tail().is_full(); }));
  EXPECT_EQ(runtime.now(), before);
}

TEST_F(RunningCompaction, tries_again_after_a_second_what_could_not_be_committed) {
  decide_next();
  writer->fail_commits = true;
  start({.tail_bytes = 1, .row_age_max = minutes{1}});
  runtime.run_for(std::chrono::milliseconds{1500});
  EXPECT_EQ(rows(), 1U);
  writer->fail_commits = false;
  runtime.run_for(std::chrono::milliseconds{400});
  EXPECT_EQ(rows(), 1U);
  runtime.run_for(std::chrono::milliseconds{200});
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(folded(a, events), (Blocks{{1}}));
}

TEST_F(RunningCompaction, stops_at_once_whatever_it_waits_for) {
  const auto expect_stop = [this] {
    const MonoTime before = runtime.now();
    run(compaction->stop());
    EXPECT_EQ(runtime.now(), before);
  };
  start({});
  runtime.run_for(seconds{1});
  expect_stop();  // it waited for a row
  decide_next();
  start({});
  runtime.run_for(seconds{1});
  expect_stop();  // for a row to be old
  start({.tail_bytes = 1, .cost_per_second = 1});
  runtime.run_for(seconds{1});
  EXPECT_EQ(rows(), 0U);
  expect_stop();  // for its rest to end
  decide_next();
  writer->fail_commits = true;
  start({.tail_bytes = 1});
  runtime.run_for(std::chrono::milliseconds{1500});
  expect_stop();  // for a disk that fails
  writer->fail_commits = false;
  runtime.run_for(minutes{10});
  EXPECT_EQ(rows(), 1U);
}

TEST_F(RunningCompaction, stops_after_the_commit_that_is_under_way) {
  decide_next();
  decide_next();
  start({.tail_bytes = 1, .step_cost = 1});
  bool stopped = false;
  writer->before_commit = [this, &stopped] {
    boost::asio::co_spawn(runtime.executor(), compaction->stop(),
                          [&stopped](const std::exception_ptr&) { stopped = true; });
  };
  ASSERT_TRUE(runtime.run_until([&stopped] { return stopped; }));
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(folded(a, events), (Blocks{{1}}));
  EXPECT_EQ(compacted_through(), StreamId{1});
}

TEST_F(RunningCompaction, ends_when_nothing_more_is_committed) {
  start({.tail_bytes = 1});
  runtime.run_for(seconds{1});
  run(committer->stop());
  tail().add(
      {.after = StreamId{0},
       .through = StreamId{1},
       .entries = 1,
       .appended_at = runtime.wall_now(),
       .data = pack_decisions(StreamId{0}, std::vector<DecisionGroup>{{{a}, {StreamId{1}}}})});
  const MonoTime before = runtime.now();
  runtime.run_for(seconds{10});
  EXPECT_EQ(rows(), 1U);
  run(compaction->stop());
  EXPECT_EQ(runtime.now(), before + seconds{10});
}

}  // namespace
}  // namespace postrider
