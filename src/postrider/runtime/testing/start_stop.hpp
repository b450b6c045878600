#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "postrider/runtime/async.hpp"
#include "sim/world/run.hpp"

// What every background task of the engine bears. A task is shown by an adapter, which is made anew
// for each case:
//   sim::VirtualRuntime& world()   that it runs in
//   void start()                   begins it
//   Async<void> stop()             as its owner stops it; it may be destroyed afterwards
//   void make_busy()               gives it something to do
//   void fail()                    from now on the database fails
//   std::int64_t effects()         counts what it has done to the world
// That it is started twice is against the contract of all of them.

namespace postrider {

template <class Task>
class StartStop : public testing::Test {
 protected:
  /// How many steps a task may have taken when it is stopped.
  static constexpr std::array steps_before_stop = {0, 1, 2, 3, 5, 8, 13, 21};

  static void take_steps(Task& task, int steps) {
    task.world().run_until([&steps] { return steps-- == 0; });
  }
  static void stop(Task& task) { sim::run(task.world(), task.stop()); }
  /// What was stopped does nothing more.
  static void expect_rest(Task& task, std::string_view when) {
    const std::int64_t before = task.effects();
    task.make_busy();
    task.world().run_for(std::chrono::minutes{5});
    EXPECT_EQ(task.effects(), before) << when;
  }
};

TYPED_TEST_SUITE_P(StartStop);

TYPED_TEST_P(StartStop, does_what_it_is_there_for) {
  TypeParam task;
  task.start();
  task.make_busy();
  task.world().run_for(std::chrono::minutes{5});
  EXPECT_GT(task.effects(), 0);
  this->stop(task);
}

TYPED_TEST_P(StartStop, may_be_stopped_after_any_step_of_its_start_and_its_work) {
  for (const int steps : this->steps_before_stop) {
    TypeParam task;
    task.start();
    task.make_busy();
    this->take_steps(task, steps);
    this->stop(task);
    this->expect_rest(task, fmt::format("stopped after {} steps", steps));
  }
}

TYPED_TEST_P(StartStop, may_be_stopped_twice_also_at_a_time) {
  for (const int steps : {1, 21}) {
    TypeParam task;
    task.start();
    task.make_busy();
    this->take_steps(task, steps);
    bool is_first_done = false;
    boost::asio::co_spawn(task.world().executor(), task.stop(),
                          [&](const std::exception_ptr&) { is_first_done = true; });
    this->stop(task);
    EXPECT_TRUE(task.world().run_until([&] { return is_first_done; }));
    this->stop(task);
    this->expect_rest(task, "stopped three times");
  }
}

TYPED_TEST_P(StartStop, a_stop_does_not_wait_until_what_fails_is_tried_again) {
  for (const int steps : this->steps_before_stop) {
    TypeParam task;
    task.start();
    task.make_busy();
    task.fail();
    this->take_steps(task, steps);
    const MonoTime before = task.world().now();
    this->stop(task);
    EXPECT_LT(task.world().now() - before, std::chrono::milliseconds{500}) << steps << " steps";
    this->expect_rest(task, "stopped while the database fails");
  }
}

REGISTER_TYPED_TEST_SUITE_P(StartStop, does_what_it_is_there_for,
                            may_be_stopped_after_any_step_of_its_start_and_its_work,
                            may_be_stopped_twice_also_at_a_time,
                            a_stop_does_not_wait_until_what_fails_is_tried_again);

/// Of those that may be stopped although they were never started.
template <class Task>
class StopBeforeStart : public StartStop<Task> {};

TYPED_TEST_SUITE_P(StopBeforeStart);

TYPED_TEST_P(StopBeforeStart, what_is_stopped_before_it_is_started_does_nothing) {
  TypeParam task;
  this->stop(task);
  task.start();
  this->expect_rest(task, "started after its stop");
  this->stop(task);
}

REGISTER_TYPED_TEST_SUITE_P(StopBeforeStart, what_is_stopped_before_it_is_started_does_nothing);

}  // namespace postrider
