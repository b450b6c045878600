#include "postrider/delivery/inbox.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

using Positions = std::vector<std::int64_t>;

std::vector<StreamId> ids(const Positions& positions) {
  return {positions.begin(), positions.end()};
}

/// All from `first` to `last`.
std::vector<StreamId> run_of(std::int64_t first, std::int64_t last) {
  std::vector<StreamId> positions;
  for (std::int64_t at = first; at <= last; ++at) positions.emplace_back(at);
  return positions;
}

Positions numbers(const std::vector<StreamId>& ids) {
  Positions numbers;
  for (const StreamId id : ids) numbers.push_back(id.value);
  return numbers;
}

/// One that the database says is behind, and of which nothing is in memory.
Inbox stored_inbox(std::int64_t acknowledged, std::int64_t behind) {
  return {StreamId{acknowledged}, behind, wall_time(1)};
}

constexpr auto window_max = static_cast<std::int64_t>(Inbox::window_max);

TEST(Inbox, a_slice_crosses_rows_and_begins_after_what_was_acknowledged) {
  Inbox inbox;
  inbox.add(ids({10, 11, 12}), wall_time(1));
  inbox.add(ids({50, 51}), wall_time(2));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 4)), (Positions{10, 11, 12, 50}));
  EXPECT_EQ(numbers(inbox.slice_through(StreamId{50})), (Positions{10, 11, 12, 50}));
  EXPECT_EQ(numbers(inbox.slice_through(StreamId{49})), (Positions{10, 11, 12}));
  inbox.acknowledge(StreamId{11}, 2);
  EXPECT_EQ(inbox.acknowledged(), StreamId{11});
  EXPECT_EQ(inbox.behind(), 3);
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 4)), (Positions{12, 50, 51}));
  EXPECT_EQ(numbers(inbox.slice_through(StreamId{50})), (Positions{12, 50}));
}

TEST(Inbox, gives_what_there_is_when_it_is_asked_for_more_and_nothing_when_it_is_empty) {
  Inbox inbox;
  EXPECT_TRUE(inbox.slice_after(StreamId{}, 10).empty());
  EXPECT_TRUE(inbox.slice_through(StreamId{10}).empty());
  EXPECT_FALSE(inbox.needs_more(10));
  inbox.add(ids({3}), wall_time(1));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{3}));
  EXPECT_TRUE(inbox.slice_after(StreamId{}, 0).empty());
  inbox.acknowledge(StreamId{3}, 1);
  EXPECT_TRUE(inbox.slice_after(StreamId{}, 10).empty());
}

TEST(Inbox, what_is_acknowledged_little_by_little_leaves_the_rest_in_order) {
  Inbox inbox;
  for (std::int64_t at = 1; at <= 3000; ++at) inbox.add(ids({2 * at}), wall_time(at));
  for (std::int64_t at = 1; at <= 2990; ++at) {
    ASSERT_EQ(inbox.slice_after(StreamId{}, 1), ids({2 * at}));
    inbox.acknowledge(StreamId{2 * at}, 1);
    ASSERT_EQ(inbox.behind(), 3000 - at);
    ASSERT_EQ(inbox.oldest_appended_at(), wall_time(at + 1));
  }
  inbox.add(ids({7000}), wall_time(9));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 100)),
            (Positions{5982, 5984, 5986, 5988, 5990, 5992, 5994, 5996, 5998, 6000, 7000}));
}

TEST(Inbox, of_the_database_is_behind_and_holds_no_position_until_it_is_extended) {
  Inbox inbox = stored_inbox(9, 3);
  EXPECT_EQ(inbox.behind(), 3);
  EXPECT_EQ(inbox.acknowledged(), StreamId{9});
  EXPECT_EQ(inbox.known_through(), StreamId{9});
  EXPECT_TRUE(inbox.is_missing_some());
  EXPECT_TRUE(inbox.needs_more(1));
  EXPECT_TRUE(inbox.needs_more_through(StreamId{10}));
  EXPECT_FALSE(inbox.needs_more_through(StreamId{9}));
  EXPECT_TRUE(inbox.slice_after(StreamId{}, 10).empty());
}

TEST(Inbox, of_the_database_that_is_behind_on_nothing_keeps_what_is_added) {
  Inbox inbox = stored_inbox(9, 0);
  EXPECT_FALSE(inbox.needs_more(10));
  inbox.add(ids({12, 15}), wall_time(1));
  EXPECT_FALSE(inbox.needs_more(10));
  EXPECT_FALSE(inbox.is_missing_some());
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{12, 15}));
}

TEST(Inbox, needs_no_more_than_is_wanted_or_than_there_is) {
  Inbox inbox = stored_inbox(0, 5);
  EXPECT_FALSE(inbox.needs_more(0));
  inbox.extend(ids({2, 4}), wall_time(1));
  EXPECT_FALSE(inbox.needs_more(2));
  EXPECT_TRUE(inbox.needs_more(3));
  EXPECT_FALSE(inbox.needs_more_through(StreamId{4}));
  EXPECT_TRUE(inbox.needs_more_through(StreamId{5}));
  inbox.extend(ids({5, 6, 7}), wall_time(1));
  EXPECT_FALSE(inbox.needs_more(100));
  EXPECT_FALSE(inbox.is_missing_some());
}

TEST(Inbox, extending_leaves_out_what_is_known) {
  Inbox inbox = stored_inbox(10, 8);
  inbox.extend(ids({8, 9, 10, 11, 12}), wall_time(1));  // up to 10 it was acknowledged
  inbox.extend(ids({11, 12}), wall_time(2));
  inbox.extend(ids({12, 13, 20}), wall_time(3));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{11, 12, 13, 20}));
  EXPECT_EQ(inbox.known_through(), StreamId{20});
  inbox.set_known_through(StreamId{30});
  inbox.extend(ids({25, 30, 31}), wall_time(4));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{11, 12, 13, 20, 31}));
  inbox.extend({}, wall_time(5));
  EXPECT_EQ(inbox.known_through(), StreamId{31});
}

TEST(Inbox, extending_leaves_out_what_is_acknowledged_meanwhile) {
  Inbox inbox = stored_inbox(0, 4);
  inbox.extend(ids({1, 2}), wall_time(1));
  inbox.acknowledge(StreamId{2}, 2);
  inbox.extend(ids({1, 2, 3, 4}), wall_time(1));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{3, 4}));
  EXPECT_FALSE(inbox.is_missing_some());
}

TEST(Inbox, what_is_acknowledged_is_known) {
  Inbox inbox = stored_inbox(0, 4);
  inbox.acknowledge(StreamId{2}, 2);
  EXPECT_EQ(inbox.known_through(), StreamId{2});
  inbox.extend(ids({1, 2, 3, 4}), wall_time(1));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{3, 4}));
}

TEST(Inbox, what_is_known_does_not_go_back) {
  Inbox inbox = stored_inbox(5, 1);
  inbox.set_known_through(StreamId{9});
  inbox.set_known_through(StreamId{7});
  EXPECT_EQ(inbox.known_through(), StreamId{9});
  inbox.acknowledge(StreamId{8}, 1);
  EXPECT_EQ(inbox.known_through(), StreamId{9});
}

TEST(Inbox, what_was_forgotten_must_be_read_before_it_can_be_sliced) {
  Inbox inbox;
  inbox.add(ids({10, 11, 12}), wall_time(1));
  inbox.acknowledge(StreamId{10}, 1);
  inbox.forget_window();
  EXPECT_TRUE(inbox.slice_after(StreamId{}, 10).empty());
  EXPECT_EQ(inbox.behind(), 2);
  EXPECT_EQ(inbox.known_through(), StreamId{10});
  EXPECT_TRUE(inbox.needs_more(1));
  inbox.extend(ids({11, 12}), wall_time(1));
  EXPECT_FALSE(inbox.needs_more(10));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{11, 12}));
}

TEST(Inbox, what_is_added_while_positions_before_it_are_not_known_counts_and_is_not_kept) {
  Inbox inbox = stored_inbox(0, 2);
  inbox.add(ids({8, 9}), wall_time(2));
  EXPECT_EQ(inbox.behind(), 4);
  EXPECT_TRUE(inbox.slice_after(StreamId{}, 10).empty());
  EXPECT_EQ(inbox.known_through(), StreamId{0});
  inbox.extend(ids({1, 2}), wall_time(1));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{1, 2}));
  EXPECT_TRUE(inbox.needs_more(3));
  inbox.extend(ids({8, 9}), wall_time(2));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{1, 2, 8, 9}));
  EXPECT_FALSE(inbox.is_missing_some());
}

TEST(Inbox, keeps_what_is_added_once_it_is_complete_again) {
  Inbox inbox = stored_inbox(0, 2);
  inbox.extend(ids({1, 2}), wall_time(1));
  inbox.set_complete();
  inbox.add(ids({5}), wall_time(2));
  EXPECT_FALSE(inbox.needs_more(10));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)), (Positions{1, 2, 5}));
}

TEST(Inbox, one_that_was_forgotten_while_it_was_empty_is_behind_on_what_comes) {
  Inbox inbox;
  inbox.forget_window();
  EXPECT_FALSE(inbox.needs_more(10));
  inbox.add(ids({4}), wall_time(7));
  EXPECT_EQ(inbox.behind(), 1);
  EXPECT_TRUE(inbox.needs_more(10));
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(7));
}

TEST(Inbox, the_window_holds_as_many_as_it_may_and_what_goes_over_that_is_asked_for) {
  Inbox inbox;
  inbox.add(run_of(1, window_max - 1), wall_time(1));
  inbox.add(ids({window_max}), wall_time(1));
  EXPECT_FALSE(inbox.is_missing_some());
  EXPECT_EQ(inbox.known_through(), StreamId{window_max});
  inbox.add(ids({window_max + 10}), wall_time(2));
  EXPECT_EQ(inbox.behind(), window_max + 1);
  EXPECT_EQ(inbox.slice_after(StreamId{}, 2 * Inbox::window_max).size(), Inbox::window_max);
  // All up to the one that did not fit is known.
  EXPECT_EQ(inbox.known_through(), StreamId{window_max + 9});
  EXPECT_FALSE(inbox.needs_more(Inbox::window_max));
  EXPECT_TRUE(inbox.needs_more(Inbox::window_max + 1));
  EXPECT_FALSE(inbox.needs_more_through(StreamId{window_max + 9}));
  EXPECT_TRUE(inbox.needs_more_through(StreamId{window_max + 10}));
}

TEST(Inbox, once_something_did_not_fit_nothing_is_kept_that_follows_it) {
  Inbox inbox;
  inbox.add(run_of(1, window_max), wall_time(1));
  inbox.add(ids({window_max + 1}), wall_time(2));
  inbox.acknowledge(StreamId{window_max}, window_max);
  inbox.add(ids({window_max + 2}), wall_time(3));
  EXPECT_TRUE(inbox.slice_after(StreamId{}, 10).empty());
  EXPECT_TRUE(inbox.needs_more(1));
  inbox.extend(ids({window_max + 1, window_max + 2}), wall_time(2));
  EXPECT_EQ(numbers(inbox.slice_after(StreamId{}, 10)),
            (Positions{window_max + 1, window_max + 2}));
}

TEST(Inbox, what_was_acknowledged_makes_room_in_the_window) {
  Inbox inbox;
  inbox.add(run_of(1, window_max - 1), wall_time(1));
  EXPECT_TRUE(inbox.has_room());
  inbox.add(ids({window_max}), wall_time(1));
  EXPECT_FALSE(inbox.has_room());
  inbox.acknowledge(StreamId{1}, 1);
  EXPECT_TRUE(inbox.has_room());
  inbox.add(ids({window_max + 1}), wall_time(2));
  EXPECT_FALSE(inbox.is_missing_some());
  EXPECT_FALSE(inbox.needs_more(Inbox::window_max));
}

TEST(Inbox, more_at_once_than_the_window_may_hold_is_not_kept) {
  Inbox inbox;
  inbox.add(run_of(5, window_max + 5), wall_time(1));
  EXPECT_EQ(inbox.behind(), window_max + 1);
  EXPECT_TRUE(inbox.slice_after(StreamId{}, 1).empty());
  EXPECT_EQ(inbox.known_through(), StreamId{4});
  EXPECT_TRUE(inbox.needs_more(1));
}

TEST(Inbox, knows_since_when_its_oldest_fact_waits) {
  Inbox inbox;
  EXPECT_EQ(inbox.oldest_appended_at(), std::nullopt);
  inbox.add(ids({1, 2}), wall_time(10));
  inbox.add(ids({3}), wall_time(20));
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(10));
  inbox.acknowledge(StreamId{1}, 1);
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(10));
  inbox.acknowledge(StreamId{2}, 1);
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(20));
  inbox.acknowledge(StreamId{3}, 1);
  EXPECT_EQ(inbox.oldest_appended_at(), std::nullopt);
  inbox.add(ids({4}), wall_time(30));
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(30));
}

TEST(Inbox, knows_since_when_its_oldest_fact_waits_without_a_window) {
  Inbox inbox;
  inbox.add(ids({1, 2}), wall_time(10));
  inbox.add(ids({3}), wall_time(20));
  inbox.forget_window();
  inbox.add(ids({4}), wall_time(30));
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(10));
  inbox.extend(ids({1, 2}), wall_time(10));
  inbox.acknowledge(StreamId{2}, 2);
  // The next ones are not known: a little before is right too.
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(10));
  inbox.extend(ids({3}), wall_time(20));
  inbox.extend(ids({4}), wall_time(30));
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(20));
  inbox.acknowledge(StreamId{3}, 1);
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(30));
}

TEST(Inbox, of_the_database_knows_since_when_its_oldest_fact_waits) {
  EXPECT_EQ(Inbox(StreamId{9}, 2, wall_time(5)).oldest_appended_at(), wall_time(5));
  EXPECT_EQ(Inbox(StreamId{9}, 0, std::nullopt).oldest_appended_at(), std::nullopt);
}

}  // namespace
}  // namespace postrider
