#include "postrider/sort/testing/type_sorter_world.hpp"
#include "postrider/store/quarantine.hpp"

namespace postrider {
namespace {

using std::chrono::seconds;

class TypeSorterTest : public TypeSorterWorld {
 protected:
  TypeSorterTest() { restart(); }
};

TEST_F(TypeSorterTest, gives_each_service_the_types_that_it_asks_for) {
  ask_for(keys[0], "order.*");
  ask_for(keys[1], "*");
  append("order.placed");
  append("user.created");
  append("order.paid");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1, 3}));
  EXPECT_EQ(inboxes.got[keys[1]], (Positions{1, 2, 3}));
}

TEST_F(TypeSorterTest, compiles_once_for_each_change_of_interests) {
  append("a");
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(policy.compiled, 1);
  ask_for(keys[0], "a");
  ask_for(keys[1], "b");
  append("a");
  ASSERT_TRUE(sort_all());
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(policy.compiled, 2);
  EXPECT_EQ(policy.opened, 1);
}

TEST_F(TypeSorterTest, opens_the_state_of_interest_anew_after_a_commit_that_failed) {
  ask_for(keys[0], "a");
  append("a");
  writer->fail_commits = true;
  runtime.run_for(seconds{10});
  EXPECT_GT(policy.opened, 1);
  writer->fail_commits = false;
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1}));
  EXPECT_EQ(policy.compiled, 1);
}

TEST_F(TypeSorterTest, tries_again_after_a_pause_when_the_database_fails) {
  ask_for(keys[0], "a");
  append("a");
  for (int round = 0; round < 3; ++round) {
    const MonoTime before = runtime.now();
    writer->refused_once = "INSERT INTO decisions";
    writer->refusal = Code::storage_failed;
    ASSERT_TRUE(runtime.run_until([this] { return writer->refused_once.empty(); }));
    if (round > 0) {
      EXPECT_GE(runtime.now() - before, seconds{1});
    }
  }
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1}));
}

TEST_F(TypeSorterTest, decides_once_more_what_was_refused_together_with_others) {
  ask_for(keys[0], "a");
  writer->refused_once = "INSERT INTO decisions";
  writer->refusal = Code::storage_refused;
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_TRUE(writer->refused_once.empty());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1}));
  EXPECT_TRUE(read_quarantined(*reader, 9).value().empty());
}

TEST_F(TypeSorterTest, finds_the_one_fact_that_the_database_refuses_and_goes_on_without_it) {
  ask_for(keys[0], "a");
  writer->refusal = Code::storage_refused;
  // Any decision that holds fact 6.
  writer->refuses = [](const Statement& statement, std::span<const SqlValue> values) {
    if (!statement.sql.starts_with("INSERT INTO decisions")) return false;
    return std::get<std::int64_t>(values[1]) >= 6 && std::get<std::int64_t>(values[2]) < 6;
  };
  for (int i = 0; i < 3; ++i) append_together({"a", "a", "a", "b"});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1, 2, 3, 5, 7, 9, 10, 11}));
  const auto rows = read_quarantined(*reader, 9).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].ids, (IdRange{StreamId{6}, StreamId{6}}));
  EXPECT_EQ(rows[0].cause, "it is not decided: planted");
  EXPECT_EQ(facts_quarantined.Value(), 1);
  EXPECT_EQ(read_sorted_through(*reader, stream->key()).value(), StreamId{12});
}

TEST_F(TypeSorterTest, passes_by_what_cannot_be_read_and_says_so_once) {
  ask_for(keys[0], "a");
  run(sorter->stop());
  sorter.reset();
  for (int i = 0; i < 3; ++i) append_together({"a", "a"});
  damage_block(stream->key(), StreamId{4});
  stream = open_stream({}, StreamId{6});
  stream->advance_linear_to(StreamId{6});
  restart();
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1, 2, 5, 6}));
  const auto rows = read_quarantined(*reader, 9).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].ids, (IdRange{StreamId{3}, StreamId{4}}));
  EXPECT_EQ(facts_quarantined.Value(), 2);
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(facts_quarantined.Value(), 2);
}

TEST_F(TypeSorterTest, takes_no_state_over_that_another_process_has_gone_on_with) {
  ask_for(keys[0], "a");
  append("a");
  ASSERT_TRUE(sort_all());
  // It ended this one's session, which does not know that yet.
  ASSERT_TRUE(set_sorted_through(*writer, stream->key(), StreamId{9}, 0));
  ask_for(keys[1], "a");
  append("a");
  runtime.run_for(seconds{10});
  EXPECT_EQ(inboxes.got[keys[1]], (Positions{}));
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
}

TEST_F(TypeSorterTest, counts_the_facts_that_nobody_wants) {
  ask_for(keys[0], "a");
  append("a");
  append("b");
  append("b");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(facts_unwanted.Value(), 2);
  EXPECT_EQ(stream->sorted().facts_unwanted, 2);
  EXPECT_EQ(read_streams(*reader).value()[0].facts_unwanted, 2);
}

TEST_F(TypeSorterTest, tells_who_asks_which_services_get_each_fact) {
  ask_for(keys[0], "a");
  ask_for(keys[1], "*");
  append("a");
  const auto decisions = sorter->watch(stream->writer());
  append("a");
  append("b");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(decisions->through(), StreamId{3});
  EXPECT_EQ(decisions->decisions().at(StreamId{2}), (ServiceSet{keys[0], keys[1]}));
  EXPECT_EQ(decisions->decisions().at(StreamId{3}), (ServiceSet{keys[1]}));
}

TEST_F(TypeSorterTest, writes_what_the_services_get_as_one_row_for_each_commit) {
  ask_for(keys[0], "a");
  ask_for(keys[1], "*");
  const WallTime appended_at = runtime.wall_now();
  append_together({"a", "b", "a", "c"});
  ASSERT_TRUE(sort_all());
  append("b");
  ASSERT_TRUE(sort_all());
  const auto rows = stored_rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].after, StreamId{0});
  EXPECT_EQ(rows[0].through, StreamId{4});
  EXPECT_EQ(rows[0].entries, 6);
  EXPECT_GE(rows[0].appended_at, appended_at);
  EXPECT_LE(rows[0].appended_at, runtime.wall_now());
  const auto groups = unpack_decisions(rows[0].after, rows[0].through, rows[0].data).value();
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].services, (ServiceSet{keys[0], keys[1]}));
  EXPECT_EQ(groups[0].positions, (std::vector<StreamId>{StreamId{1}, StreamId{3}}));
  EXPECT_EQ(groups[1].services, (ServiceSet{keys[1]}));
  EXPECT_EQ(groups[1].positions, (std::vector<StreamId>{StreamId{2}, StreamId{4}}));
  EXPECT_EQ(rows[1].after, StreamId{4});
  EXPECT_EQ(rows[1].through, StreamId{5});
  EXPECT_EQ(rows[1].entries, 1);
}

TEST_F(TypeSorterTest, keeps_in_memory_the_rows_that_are_on_disk) {
  ask_for(keys[0], "a");
  append_together({"a", "b"});
  append("a");
  ASSERT_TRUE(sort_all());
  const auto rows = stored_rows();
  ASSERT_EQ(tail.rows().size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(tail.rows()[i]->after, rows[i].after);
    EXPECT_EQ(tail.rows()[i]->through, rows[i].through);
    EXPECT_EQ(tail.rows()[i]->entries, rows[i].entries);
    EXPECT_EQ(tail.rows()[i]->appended_at, rows[i].appended_at);
    EXPECT_EQ(tail.rows()[i]->data, rows[i].data);
  }
}

TEST_F(TypeSorterTest, writes_no_row_about_facts_that_nobody_wants) {
  ask_for(keys[0], "a");
  append_together({"b", "b"});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(read_sorted_through(*reader, stream->key()).value(), StreamId{2});
  EXPECT_TRUE(stored_rows().empty());
  EXPECT_TRUE(tail.rows().empty());
  append("a");
  ASSERT_TRUE(sort_all());
  ASSERT_EQ(stored_rows().size(), 1U);
  EXPECT_EQ(stored_rows().front().after, StreamId{2});
}

TEST_F(TypeSorterTest, ends_a_commit_with_the_fact_that_comes_to_the_most_entries) {
  restart({.entries_max = 3});
  ask_for(keys[0], "a");
  ask_for(keys[1], "*");
  append_together({"a", "a", "b", "a", "b", "b"});
  ASSERT_TRUE(sort_all());
  const auto rows = stored_rows();
  std::vector<std::int64_t> ends;
  std::vector<std::int64_t> entries;
  for (const DecisionRow& row : rows) {
    ends.push_back(row.through.value);
    entries.push_back(row.entries);
  }
  EXPECT_EQ(ends, (std::vector<std::int64_t>{2, 4, 6}));
  EXPECT_EQ(entries, (std::vector<std::int64_t>{4, 3, 2}));
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1, 2, 4}));
  EXPECT_EQ(inboxes.got[keys[1]], (Positions{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(facts_sorted.Value(), 6);
  EXPECT_EQ(inbox_entries.Value(), 9);
}

TEST_F(TypeSorterTest, counts_facts_that_nobody_wants_once_when_a_commit_ends_among_them) {
  restart({.entries_max = 1});
  ask_for(keys[0], "a");
  append_together({"b", "a", "b", "b", "a", "b"});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 5}));
  EXPECT_EQ(facts_sorted.Value(), 6);
  EXPECT_EQ(stream->sorted().facts_unwanted, 4);
  EXPECT_EQ(read_streams(*reader).value()[0].facts_unwanted, 4);
}

TEST_F(TypeSorterTest, waits_while_the_decisions_are_not_folded_and_then_goes_on) {
  ask_for(keys[0], "a");
  append("b");
  ASSERT_TRUE(sort_all());
  fill_tail();
  ASSERT_TRUE(tail.is_full());
  append("a");
  append("a");
  runtime.run_for(seconds{10});
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
  EXPECT_TRUE(inboxes.got.empty());
  tail.fold(StreamId{1});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 3}));
}

TEST_F(TypeSorterTest, can_be_stopped_while_it_waits_for_decisions_to_be_folded) {
  append("b");
  ASSERT_TRUE(sort_all());
  fill_tail();
  append("a");
  runtime.run_for(seconds{10});
  const MonoTime before = runtime.now();
  run(sorter->stop());
  EXPECT_EQ(runtime.now(), before);
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
}

TEST_F(TypeSorterTest, leaves_nothing_of_a_commit_that_failed) {
  ask_for(keys[0], "a");
  append("a");
  writer->fail_commits = true;
  runtime.run_for(seconds{10});
  EXPECT_TRUE(tail.rows().empty());
  EXPECT_EQ(tail.bytes(), 0U);
  EXPECT_TRUE(stored_rows().empty());
  writer->fail_commits = false;
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(tail.rows().size(), 1U);
  EXPECT_EQ(stored_rows().size(), 1U);
}

}  // namespace
}  // namespace postrider
