#include "postrider/lease/failure_detector.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

using std::chrono::seconds;

class FailureDetectorTest : public testing::Test {
 protected:
  /// The instances that are found to have failed.
  std::vector<std::int64_t> observe(std::vector<SessionRow> rows, seconds at) {
    std::vector<std::int64_t> failed;
    for (const SessionRow& row : detector.observe(rows, MonoTime{at})) {
      failed.push_back(row.instance.value);
    }
    return failed;
  }
  static SessionRow row(std::int64_t instance, std::int64_t session, std::int64_t beats,
                        bool is_live = true) {
    return {.instance = InstanceKey{instance},
            .instance_name = "x",
            .session = SessionKey{session},
            .heartbeats = beats,
            .ended_at = is_live ? std::optional<WallTime>{} : wall_time(1)};
  }
  using Instances = std::vector<std::int64_t>;

  FailureDetector detector{seconds{5}};
};

TEST_F(FailureDetectorTest, finds_who_had_no_heartbeat_for_a_whole_interval) {
  EXPECT_EQ(observe({row(1, 1, 7), row(2, 2, 7)}, seconds{0}), Instances{});
  EXPECT_EQ(observe({row(1, 1, 7), row(2, 2, 8)}, seconds{4}), Instances{});
  EXPECT_EQ(observe({row(1, 1, 7), row(2, 2, 8)}, seconds{5}), Instances{1});
  EXPECT_EQ(observe({row(1, 1, 7), row(2, 2, 8)}, seconds{9}), (Instances{1, 2}));
  EXPECT_EQ(observe({row(1, 1, 8), row(2, 2, 8)}, seconds{10}), Instances{2});
}

TEST_F(FailureDetectorTest, begins_the_interval_again_with_a_new_session) {
  observe({row(1, 1, 7)}, seconds{0});
  EXPECT_EQ(observe({row(1, 2, 7)}, seconds{5}), Instances{});
  EXPECT_EQ(observe({row(1, 2, 7)}, seconds{10}), Instances{1});
}

TEST_F(FailureDetectorTest, does_not_find_a_session_that_has_ended) {
  observe({row(1, 1, 7)}, seconds{0});
  EXPECT_EQ(observe({row(1, 1, 7, false)}, seconds{9}), Instances{});
}

TEST_F(FailureDetectorTest, finds_nobody_while_the_database_is_away) {
  observe({row(1, 1, 7)}, seconds{0});
  detector.reset();
  EXPECT_EQ(observe({row(1, 1, 7)}, seconds{9}), Instances{});
  EXPECT_EQ(observe({row(1, 1, 7)}, seconds{14}), Instances{1});
}

}  // namespace
}  // namespace postrider
