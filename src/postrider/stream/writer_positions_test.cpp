#include "postrider/stream/writer_positions.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

constexpr InstanceKey first{1};
constexpr InstanceKey second{2};
constexpr InstanceKey third{3};

WriterList list(std::int64_t newest, std::vector<WriterList::Writer> writers) {
  return {SessionKey{newest}, std::move(writers)};
}

WriterPositions at(std::int64_t of_first, std::int64_t of_second) {
  WriterPositions positions(StreamId{0});
  positions.apply_list(
      list(2, {{first, StreamId{of_first}, true}, {second, StreamId{of_second}, true}}));
  return positions;
}

void advance(WriterPositions& positions, InstanceKey writer, std::int64_t id) {
  positions.advance(writer, StreamId{id}, SessionKey{2});
}

TEST(WriterPositions, follow_the_slowest_writer) {
  WriterPositions positions = at(3, 5);
  EXPECT_EQ(positions.linear(), StreamId{3});
  advance(positions, first, 7);
  EXPECT_EQ(positions.linear(), StreamId{5});
  advance(positions, second, 9);
  EXPECT_EQ(positions.linear(), StreamId{7});
  EXPECT_EQ(positions.of(second), StreamId{9});
  EXPECT_EQ(positions.of(third), StreamId{7}) << "a writer that nobody knows";
  EXPECT_EQ(positions.vector().token(), "m7~2.9");
}

TEST(WriterPositions, pass_a_slow_writer_over_ids_without_a_gap) {
  WriterPositions positions = at(3, 5);
  advance(positions, first, 6);
  EXPECT_EQ(positions.linear(), StreamId{5});
  positions.complete({StreamId{6}, StreamId{6}});
  EXPECT_EQ(positions.linear(), StreamId{6});
  positions.complete({StreamId{9}, StreamId{12}});
  positions.complete({StreamId{13}, StreamId{15}});
  EXPECT_EQ(positions.linear(), StreamId{6}) << "7 and 8 may be anybody's";
  positions.complete({StreamId{7}, StreamId{8}});
  EXPECT_EQ(positions.linear(), StreamId{15});
  EXPECT_EQ(positions.announced().token(), "m5~1.6");
}

TEST(WriterPositions, take_announcements_in_any_order_and_twice) {
  WriterPositions positions = at(3, 5);
  advance(positions, first, 8);
  advance(positions, first, 4);
  advance(positions, second, 8);
  advance(positions, second, 8);
  EXPECT_EQ(positions.linear(), StreamId{8});
}

TEST(WriterPositions, do_not_wait_for_a_writer_whose_session_has_ended) {
  WriterPositions positions = at(3, 5);
  positions.apply_list(list(2, {{first, StreamId{3}, false}, {second, StreamId{5}, true}}));
  EXPECT_EQ(positions.linear(), StreamId{5});
  positions.apply_list(list(2, {{first, StreamId{3}, false}, {second, StreamId{6}, false}}));
  EXPECT_EQ(positions.linear(), StreamId{6}) << "nobody is left";
}

TEST(WriterPositions, keep_an_ended_writer_in_the_vector_while_it_is_ahead) {
  WriterPositions positions = at(3, 5);
  positions.apply_list(list(2, {{first, StreamId{3}, true}, {second, StreamId{9}, false}}));
  EXPECT_EQ(positions.vector().token(), "m3~2.9");
  advance(positions, first, 9);
  EXPECT_EQ(positions.vector().token(), "s9");
}

TEST(WriterPositions, wait_for_the_list_when_a_writer_knows_of_a_newer_session) {
  WriterPositions positions = at(3, 5);
  positions.advance(first, StreamId{20}, SessionKey{3});
  advance(positions, second, 20);
  EXPECT_TRUE(positions.needs_list());
  EXPECT_EQ(positions.linear(), StreamId{3});
  EXPECT_EQ(positions.of(first), StreamId{20});
  positions.apply_list(list(
      3, {{first, StreamId{3}, true}, {second, StreamId{5}, true}, {third, StreamId{11}, true}}));
  EXPECT_FALSE(positions.needs_list());
  EXPECT_EQ(positions.linear(), StreamId{11});
}

TEST(WriterPositions, are_not_pulled_back_by_who_comes_again) {
  WriterPositions positions = at(7, 5);
  positions.apply_list(list(2, {{first, StreamId{7}, true}, {second, StreamId{5}, false}}));
  EXPECT_EQ(positions.linear(), StreamId{7});
  positions.apply_list(list(3, {{first, StreamId{7}, true}, {second, StreamId{6}, true}}));
  EXPECT_EQ(positions.linear(), StreamId{7});
  EXPECT_EQ(positions.of(second), StreamId{7});
}

TEST(WriterPositions, ignore_an_older_list) {
  WriterPositions positions = at(3, 5);
  positions.apply_list(list(1, {{first, StreamId{9}, true}}));
  EXPECT_EQ(positions.linear(), StreamId{3});
}

TEST(Reservations, stand_before_the_smallest_open_id) {
  Reservations reservations(StreamId{7});
  const StreamId draw = reservations.begin_draw();
  reservations.end_draw(draw, std::vector<IdRange>{{StreamId{8}, StreamId{11}}});
  EXPECT_EQ(reservations.position(), StreamId{7});
  reservations.complete({StreamId{9}, StreamId{9}});
  EXPECT_EQ(reservations.position(), StreamId{7});
  reservations.complete({StreamId{8}, StreamId{8}});
  EXPECT_EQ(reservations.position(), StreamId{9});
  reservations.complete({StreamId{11}, StreamId{11}});
  reservations.abandon({StreamId{10}, StreamId{10}});
  EXPECT_EQ(reservations.position(), StreamId{11});
}

TEST(Reservations, do_not_pass_what_may_have_been_drawn_meanwhile) {
  Reservations reservations(StreamId{7});
  const StreamId draw = reservations.begin_draw();
  reservations.observe_allocated(StreamId{20});
  EXPECT_EQ(reservations.position(), StreamId{7});
  reservations.end_draw(draw, std::vector<IdRange>{{StreamId{8}, StreamId{11}}});
  EXPECT_EQ(reservations.position(), StreamId{7});
  reservations.complete({StreamId{8}, StreamId{11}});
  EXPECT_EQ(reservations.position(), StreamId{20});
}

TEST(Reservations, go_on_when_a_drawing_fails) {
  Reservations reservations(StreamId{7});
  const StreamId draw = reservations.begin_draw();
  reservations.observe_allocated(StreamId{20});
  reservations.end_draw(draw, {});
  EXPECT_EQ(reservations.position(), StreamId{20});
}

TEST(Reservations, follow_others_while_nothing_is_open) {
  Reservations reservations(StreamId{7});
  reservations.observe_allocated(StreamId{20});
  EXPECT_EQ(reservations.position(), StreamId{20});
  reservations.observe_allocated(StreamId{12});
  EXPECT_EQ(reservations.position(), StreamId{20});
}

}  // namespace
}  // namespace postrider
