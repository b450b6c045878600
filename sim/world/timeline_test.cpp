#include "sim/world/timeline.hpp"

#include <set>

#include <gtest/gtest.h>

#include "sim/world/virtual_runtime.hpp"

namespace postrider::sim {
namespace {

using std::chrono::seconds;

std::string order_of(std::uint64_t seed) {
  Timeline timeline{Random(seed)};
  VirtualRuntime one(timeline, Random(1));
  VirtualRuntime other(timeline, Random(2));
  std::string order;
  one.post([&order] { order += 'a'; });
  other.post([&order] { order += 'b'; });
  one.post([&order] { order += 'c'; });
  timeline.run_for(seconds{1});
  return order;
}

TEST(TimelineTest, a_seed_chooses_among_all_that_is_ready_and_always_the_same) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    orders.insert(order_of(seed));
    EXPECT_EQ(order_of(seed), order_of(seed));
  }
  EXPECT_EQ(orders.size(), 6U);
}

TEST(TimelineTest, timers_of_all_runtimes_fire_in_the_order_of_time) {
  Timeline timeline{Random(1)};
  VirtualRuntime one(timeline, Random(1));
  VirtualRuntime other(timeline, Random(2));
  std::string order;
  one.call_at(MonoTime{} + seconds{3}, [&order] { order += 'c'; });
  other.call_at(MonoTime{} + seconds{2}, [&order] { order += 'b'; });
  one.call_at(MonoTime{} + seconds{1}, [&order] { order += 'a'; });
  timeline.run_for(seconds{2});
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(timeline.now(), MonoTime{} + seconds{2});
  timeline.run_for(seconds{2});
  EXPECT_EQ(order, "abc");
}

TEST(TimelineTest, a_runtime_that_has_ended_does_nothing_more) {
  Timeline timeline;
  VirtualRuntime runtime(timeline, Random(1));
  bool done = false;
  runtime.post([&done] { done = true; });
  runtime.call_at(MonoTime{}, [&done] { done = true; });
  runtime.end();
  runtime.post([&done] { done = true; });
  timeline.run_for(seconds{1});
  EXPECT_FALSE(done);
}

TEST(TimelineTest, the_wall_clock_jumps_and_time_does_not) {
  Timeline timeline;
  const WallTime before = timeline.wall_now();
  timeline.jump_wall_clock(-seconds{5});
  EXPECT_EQ(before - timeline.wall_now(), seconds{5});
  EXPECT_EQ(timeline.now(), MonoTime{});
}

}  // namespace
}  // namespace postrider::sim
