#include "postrider/drivers/asio/asio_runtime.hpp"

#include <thread>
#include <vector>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "postrider/drivers/asio/thread_lane.hpp"
#include "postrider/runtime/gate.hpp"

namespace postrider {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class RealTime : public testing::Test {
 protected:
  void after(Duration delay, const std::string& name) {
    runtime.call_at(start + delay, [this, name] { log.push_back(name); });
  }
  void stop_after(Duration delay) {
    runtime.call_at(start + delay, [this] { runtime.stop(); });
  }

  AsioRuntime runtime;
  MonoTime start = runtime.now();
  std::vector<std::string> log;
};

TEST_F(RealTime, timers_fire_in_the_order_of_their_times_and_never_early) {
  MonoTime fired;
  runtime.call_at(start + milliseconds{20}, [&] { fired = runtime.now(); });
  after(milliseconds{15}, "second");
  after(milliseconds{5}, "first");
  after(milliseconds{15}, "third");
  stop_after(milliseconds{25});
  runtime.run();
  EXPECT_EQ(log, (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_GE(fired, start + milliseconds{20});
}

TEST_F(RealTime, an_earlier_timer_that_is_added_later_does_not_wait_for_the_first) {
  after(hours{1}, "late");
  boost::asio::post(runtime.executor(), [this] {
    after(milliseconds{1}, "early");
    stop_after(milliseconds{2});
  });
  runtime.run();
  EXPECT_EQ(log, (std::vector<std::string>{"early"}));
}

TEST_F(RealTime, a_cancelled_timer_does_not_fire_and_the_next_one_does) {
  const auto timer = runtime.call_at(start + milliseconds{1}, [this] { log.push_back("no"); });
  after(milliseconds{2}, "yes");
  stop_after(milliseconds{3});
  EXPECT_TRUE(runtime.cancel(timer));
  EXPECT_FALSE(runtime.cancel(timer));
  runtime.run();
  EXPECT_EQ(log, (std::vector<std::string>{"yes"}));
}

TEST_F(RealTime, a_timer_whose_time_has_passed_fires_at_once) {
  after(-hours{1}, "past");
  stop_after(milliseconds{1});
  runtime.run();
  EXPECT_EQ(log, (std::vector<std::string>{"past"}));
}

TEST_F(RealTime, random_numbers_stay_below_their_bound_and_differ) {
  EXPECT_EQ(runtime.random(1), 0U);
  std::vector<int> seen(4);
  for (int i = 0; i < 1000; ++i) ++seen.at(runtime.random(4));
  for (const int count : seen) EXPECT_GT(count, 0);
}

TEST_F(RealTime, it_can_be_stopped_from_another_thread) {
  std::thread other([this] { runtime.stop(); });
  runtime.run();
  other.join();
}

TEST_F(RealTime, a_lane_works_on_its_own_thread_and_answers_on_the_engines) {
  ThreadLane lane(runtime.executor(), "lane");
  std::thread::id worked_on;
  std::thread::id answered_on;
  lane.post([&] { worked_on = std::this_thread::get_id(); },
            [&] {
              answered_on = std::this_thread::get_id();
              runtime.stop();
            });
  runtime.run();
  EXPECT_NE(worked_on, std::this_thread::get_id());
  EXPECT_EQ(answered_on, std::this_thread::get_id());
}

TEST_F(RealTime, a_lane_does_its_jobs_in_order_and_those_left_before_it_ends) {
  std::vector<int> done;
  {
    ThreadLane lane(runtime.executor(), "lane");
    for (int i = 0; i < 100; ++i) lane.post([&done, i] { done.push_back(i); }, [] {});
  }
  ASSERT_EQ(done.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

Async<void> work_on_lane(Lane& lane, AsioRuntime& runtime, std::vector<std::string>& log) {
  auto work = [] { return std::string("from the lane"); };
  log.push_back(co_await run_on(lane, work));
  runtime.stop();
}

TEST_F(RealTime, a_coroutine_gets_back_what_its_work_on_a_lane_returned) {
  ThreadLane lane(runtime.executor(), "lane");
  Gate gate(runtime);
  gate.spawn(work_on_lane(lane, runtime, log), "test");
  runtime.run();
  EXPECT_EQ(log, (std::vector<std::string>{"from the lane"}));
}

}  // namespace
}  // namespace postrider
