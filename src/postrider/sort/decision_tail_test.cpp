#include "postrider/sort/decision_tail.hpp"

#include <gtest/gtest.h>

#include "postrider/runtime/gate.hpp"
#include "sim/world/run.hpp"

namespace postrider {
namespace {

constexpr ServiceKey a{1};
constexpr ServiceKey b{2};
constexpr std::size_t row_size = sizeof(DecisionRow);

using Positions = std::vector<std::int64_t>;

std::vector<StreamId> ids_of(const Positions& positions) {
  std::vector<StreamId> ids;
  for (const std::int64_t position : positions) ids.emplace_back(position);
  return ids;
}

DecisionRow row_of(StreamId after, StreamId through, const std::vector<DecisionGroup>& groups,
                   WallTime appended_at = wall_time(1)) {
  DecisionRow row{.after = after,
                  .through = through,
                  .entries = 0,
                  .appended_at = appended_at,
                  .data = pack_decisions(after, groups)};
  for (const DecisionGroup& group : groups) {
    row.entries += std::ssize(group.services) * std::ssize(group.positions);
  }
  return row;
}

DecisionRow row_of_bytes(StreamId after, StreamId through, std::size_t bytes,
                         std::int64_t entries = 0) {
  return {.after = after,
          .through = through,
          .entries = entries,
          .appended_at = wall_time(1),
          .data = std::string(bytes - row_size, '\xff')};
}

class DecisionTailTest : public testing::Test {
 protected:
  Positions ends() {
    Positions ends;
    for (const DecisionTail::Row& row : tail.rows()) ends.push_back(row->through.value);
    return ends;
  }
  Positions oldest(std::int64_t cost_least) {
    Positions ends;
    const auto rows = tail.oldest(cost_least, {});
    for (const DecisionTail::Row& row : rows) ends.push_back(row->through.value);
    return ends;
  }
  /// What `visit` passes on, row by row, up to so many rows.
  std::vector<Positions> visited(ServiceKey service, StreamId after, std::size_t rows_max = 100) {
    std::vector<Positions> all;
    const auto add = [&](const std::vector<StreamId>& positions, WallTime) {
      all.emplace_back();
      for (const StreamId id : positions) all.back().push_back(id.value);
      return all.size() < rows_max;
    };
    const bool to_the_end = tail.visit(service, after, add).value();
    EXPECT_EQ(to_the_end, all.size() < rows_max);
    return all;
  }
  void add_three_rows() {
    tail.add(row_of(StreamId{0}, StreamId{5},
                    {{{a, b}, ids_of({2, 5})}, {{a}, ids_of({1, 3})}, {{b}, ids_of({4})}}));
    tail.add(row_of(StreamId{5}, StreamId{7}, {{{b}, ids_of({6, 7})}}));
    tail.add(row_of(StreamId{9}, StreamId{12}, {{{a}, ids_of({10, 12})}}, wall_time(9)));
  }

  sim::VirtualRuntime runtime;
  DecisionTail tail{runtime};
};

TEST_F(DecisionTailTest, begins_with_what_the_database_holds) {
  ASSERT_TRUE(tail.load({.stream = StreamKey{1},
                         .compacted_through = StreamId{40},
                         .rows = {row_of_bytes(StreamId{40}, StreamId{42}, row_size + 5),
                                  row_of_bytes(StreamId{45}, StreamId{50}, row_size + 7)}}));
  EXPECT_EQ(tail.begin(), StreamId{40});
  EXPECT_EQ(ends(), (Positions{42, 50}));
  EXPECT_EQ(tail.bytes(), 2 * row_size + 12);
}

TEST_F(DecisionTailTest, is_empty_before_the_first_decision) {
  EXPECT_EQ(tail.begin(), StreamId{0});
  EXPECT_EQ(ends(), (Positions{}));
  EXPECT_EQ(tail.bytes(), 0U);
  EXPECT_EQ(oldest(1), (Positions{}));
  EXPECT_EQ(visited(a, StreamId{0}), (std::vector<Positions>{}));
}

TEST_F(DecisionTailTest, grows_with_each_row_and_loses_those_that_were_folded) {
  tail.add(row_of_bytes(StreamId{0}, StreamId{5}, row_size + 1));
  tail.add(row_of_bytes(StreamId{5}, StreamId{7}, row_size + 2));
  tail.add(row_of_bytes(StreamId{9}, StreamId{12}, row_size + 4));
  EXPECT_EQ(ends(), (Positions{5, 7, 12}));
  EXPECT_EQ(tail.bytes(), 3 * row_size + 7);
  tail.fold(StreamId{7});
  EXPECT_EQ(tail.begin(), StreamId{7});
  EXPECT_EQ(ends(), (Positions{12}));
  EXPECT_EQ(tail.bytes(), row_size + 4);
  tail.add(row_of_bytes(StreamId{12}, StreamId{13}, row_size + 8));
  tail.fold(StreamId{13});
  EXPECT_EQ(tail.begin(), StreamId{13});
  EXPECT_EQ(ends(), (Positions{}));
  EXPECT_EQ(tail.bytes(), 0U);
}

TEST_F(DecisionTailTest, a_row_that_was_read_before_it_was_folded_stays_readable) {
  tail.add(row_of_bytes(StreamId{0}, StreamId{5}, row_size + 1));
  const auto rows = tail.oldest(1, {});
  tail.fold(StreamId{5});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front()->through, StreamId{5});
}

TEST_F(DecisionTailTest, gives_the_oldest_rows_up_to_a_cost_or_all) {
  tail.add(row_of_bytes(StreamId{0}, StreamId{5}, row_size + 10, 90));
  tail.add(row_of_bytes(StreamId{5}, StreamId{7}, row_size + 20, 30));
  tail.add(row_of_bytes(StreamId{7}, StreamId{9}, row_size, 0));
  const auto size = static_cast<std::int64_t>(row_size);
  EXPECT_EQ(oldest(1), (Positions{5}));
  EXPECT_EQ(oldest(size + 100), (Positions{5}));
  EXPECT_EQ(oldest(size + 101), (Positions{5, 7}));
  EXPECT_EQ(oldest(2 * size + 150), (Positions{5, 7}));
  EXPECT_EQ(oldest(2 * size + 151), (Positions{5, 7, 9}));
  EXPECT_EQ(oldest(100 * size), (Positions{5, 7, 9}));
}

TEST_F(DecisionTailTest, a_row_costs_its_bytes_and_one_for_each_entry) {
  tail.add(row_of_bytes(StreamId{0}, StreamId{5}, row_size + 10, 90));
  tail.add(row_of_bytes(StreamId{5}, StreamId{7}, row_size + 20, 30));
  const auto rows = tail.oldest(std::numeric_limits<std::int64_t>::max(), {});
  const auto size = static_cast<std::int64_t>(row_size);
  EXPECT_EQ(DecisionTail::cost(rows), 2 * size + 150);
  EXPECT_EQ(DecisionTail::cost({rows.data(), 1}), size + 100);
  EXPECT_EQ(DecisionTail::cost({}), 0);
}

TEST_F(DecisionTailTest, is_full_past_its_bound) {
  tail.add(row_of_bytes(StreamId{0}, StreamId{1}, DecisionTail::bytes_max));
  EXPECT_FALSE(tail.is_full());
  tail.add(row_of_bytes(StreamId{1}, StreamId{2}, row_size));
  EXPECT_TRUE(tail.is_full());
  tail.fold(StreamId{1});
  EXPECT_FALSE(tail.is_full());
  tail.add(row_of_bytes(StreamId{2}, StreamId{3}, DecisionTail::bytes_max - row_size));
  EXPECT_FALSE(tail.is_full());
}

TEST_F(DecisionTailTest, is_full_one_byte_past_its_bound) {
  tail.add(row_of_bytes(StreamId{0}, StreamId{1}, DecisionTail::bytes_max + 1));
  EXPECT_TRUE(tail.is_full());
}

TEST_F(DecisionTailTest, visits_a_services_positions_row_by_row_and_in_order_across_groups) {
  add_three_rows();
  EXPECT_EQ(visited(a, StreamId{0}), (std::vector<Positions>{{1, 2, 3, 5}, {10, 12}}));
  EXPECT_EQ(visited(b, StreamId{0}), (std::vector<Positions>{{2, 4, 5}, {6, 7}}));
  EXPECT_EQ(visited(ServiceKey{3}, StreamId{0}), (std::vector<Positions>{}));
}

TEST_F(DecisionTailTest, visits_what_is_after_a_position) {
  add_three_rows();
  EXPECT_EQ(visited(a, StreamId{2}), (std::vector<Positions>{{3, 5}, {10, 12}}));
  EXPECT_EQ(visited(a, StreamId{4}), (std::vector<Positions>{{5}, {10, 12}}));
  EXPECT_EQ(visited(a, StreamId{5}), (std::vector<Positions>{{10, 12}}));
  EXPECT_EQ(visited(a, StreamId{10}), (std::vector<Positions>{{12}}));
  EXPECT_EQ(visited(a, StreamId{12}), (std::vector<Positions>{}));
  EXPECT_EQ(visited(b, StreamId{6}), (std::vector<Positions>{{7}}));
}

TEST_F(DecisionTailTest, a_visit_ends_when_the_visitor_has_enough) {
  add_three_rows();
  EXPECT_EQ(visited(a, StreamId{0}, 1), (std::vector<Positions>{{1, 2, 3, 5}}));
  EXPECT_EQ(visited(a, StreamId{0}, 2), (std::vector<Positions>{{1, 2, 3, 5}, {10, 12}}));
}

TEST_F(DecisionTailTest, a_visit_tells_when_the_facts_of_a_row_were_appended) {
  add_three_rows();
  std::vector<WallTime> times;
  const auto add = [&times](const std::vector<StreamId>&, WallTime appended_at) {
    times.push_back(appended_at);
    return true;
  };
  ASSERT_TRUE(tail.visit(a, StreamId{0}, add));
  EXPECT_EQ(times, (std::vector<WallTime>{wall_time(1), wall_time(9)}));
}

TEST_F(DecisionTailTest, a_damaged_row_is_an_error_for_those_who_come_to_it) {
  tail.add(row_of(StreamId{0}, StreamId{5}, {{{a}, ids_of({1, 3})}}));
  tail.add(row_of_bytes(StreamId{5}, StreamId{7}, row_size + 3));
  tail.add(row_of(StreamId{7}, StreamId{9}, {{{a}, ids_of({8})}}));
  EXPECT_EQ(visited(a, StreamId{0}, 1), (std::vector<Positions>{{1, 3}}));
  EXPECT_EQ(visited(a, StreamId{7}), (std::vector<Positions>{{8}}));
  const auto go_on = [](const std::vector<StreamId>&, WallTime) { return true; };
  const auto damaged = tail.visit(a, StreamId{0}, go_on);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Code::storage_failed);
}

TEST_F(DecisionTailTest, tells_those_who_wait_of_each_row_and_of_each_fold) {
  int changes = 0;
  auto watch = [this, &changes]() -> Async<void> {
    for (; changes < 2; ++changes) co_await tail.changed().wait();
  };
  Gate gate(runtime);
  gate.spawn(watch(), "watch");
  runtime.run_for(std::chrono::seconds{1});
  EXPECT_EQ(changes, 0);
  tail.add(row_of_bytes(StreamId{0}, StreamId{5}, row_size));
  runtime.run_for(std::chrono::seconds{1});
  EXPECT_EQ(changes, 1);
  tail.fold(StreamId{5});
  sim::run(runtime, gate.drained());
  EXPECT_EQ(changes, 2);
}

TEST_F(DecisionTailTest, rows_that_do_not_follow_one_another_are_refused) {
  const auto load = [this](StreamId after, StreamId through) {
    DecisionTail loaded(runtime);
    return loaded.load({.stream = StreamKey{1},
                        .compacted_through = StreamId{40},
                        .rows = {row_of_bytes(StreamId{40}, StreamId{42}, row_size),
                                 row_of_bytes(after, through, row_size)}});
  };
  EXPECT_TRUE(load(StreamId{42}, StreamId{43}));
  EXPECT_EQ(load(StreamId{41}, StreamId{43}).error().detail,
            "the decisions on facts 42 to 43 of stream 1 do not follow those up to 42");
  EXPECT_EQ(load(StreamId{42}, StreamId{42}).error().code, Code::storage_failed);
}

TEST_F(DecisionTailTest, each_stream_has_its_own_and_a_new_one_has_an_empty_one) {
  DecisionTails tails(runtime);
  ASSERT_TRUE(tails.load({{.stream = StreamKey{1},
                           .compacted_through = StreamId{4},
                           .rows = {row_of_bytes(StreamId{4}, StreamId{5}, row_size)}},
                          {.stream = StreamKey{2}, .compacted_through = StreamId{9}, .rows = {}}}));
  EXPECT_EQ(tails.of(StreamKey{1}).begin(), StreamId{4});
  EXPECT_EQ(tails.of(StreamKey{1}).rows().size(), 1U);
  EXPECT_EQ(tails.of(StreamKey{2}).begin(), StreamId{9});
  EXPECT_EQ(tails.of(StreamKey{2}).rows().size(), 0U);
  EXPECT_EQ(tails.all().size(), 2U);
  EXPECT_EQ(tails.of(StreamKey{3}).begin(), StreamId{0});
  EXPECT_EQ(&tails.of(StreamKey{3}), tails.all().at(StreamKey{3}).get());
}

}  // namespace
}  // namespace postrider
