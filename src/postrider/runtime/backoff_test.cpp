#include "postrider/runtime/backoff.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace postrider {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, doubles_from_two_seconds_to_the_cap_and_stays) {
  const Backoff backoff;
  std::vector<Duration> intervals;
  Duration interval{};
  for (int i = 0; i < 10; ++i) intervals.push_back(interval = backoff.next(interval));
  const std::vector<Duration> expected = {seconds{2},   seconds{4},  seconds{8},   seconds{16},
                                          seconds{32},  seconds{64}, seconds{128}, seconds{256},
                                          seconds{512}, seconds{512}};
  EXPECT_EQ(intervals, expected);
}

TEST(Backoff, a_persisted_interval_below_the_minimum_or_above_the_cap_is_brought_in) {
  const Backoff backoff;
  EXPECT_EQ(backoff.next(milliseconds{1}), seconds{2});
  EXPECT_EQ(backoff.next(Duration::max()), seconds{512});
}

TEST(Backoff, a_minimum_above_the_cap_is_capped) {
  const Backoff backoff{.min = seconds{10}, .max = seconds{5}};
  EXPECT_EQ(backoff.next({}), seconds{5});
}

}  // namespace
}  // namespace postrider
