#include "postrider/runtime/timer_queue.hpp"

#include <string>

#include <gtest/gtest.h>

namespace postrider {
namespace {

MonoTime at(int seconds) {
  return MonoTime{std::chrono::seconds{seconds}};
}

TEST(TimerQueue, gives_due_callbacks_in_time_order_and_equal_ones_in_the_order_added) {
  TimerQueue queue;
  std::string fired;
  queue.add(at(2), [&] { fired += 'c'; });
  queue.add(at(1), [&] { fired += 'a'; });
  queue.add(at(1), [&] { fired += 'b'; });
  EXPECT_EQ(queue.next(), at(1));
  EXPECT_FALSE(queue.take_due(at(0)));
  while (auto callback = queue.take_due(at(2))) callback();
  EXPECT_EQ(fired, "abc");
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(TimerQueue, a_cancelled_timer_never_fires_and_can_be_cancelled_once) {
  TimerQueue queue;
  const auto timer = queue.add(at(1), [] { FAIL(); });
  EXPECT_TRUE(queue.cancel(timer));
  EXPECT_FALSE(queue.cancel(timer));
  EXPECT_FALSE(queue.take_due(at(9)));
}

}  // namespace
}  // namespace postrider
