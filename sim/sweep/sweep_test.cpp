#include "sim/sweep/sweep.hpp"

#include <gtest/gtest.h>

#include "sim/disk/disk_vfs.hpp"

namespace postrider::sim {
namespace {

constexpr std::int64_t after_all_calls = 1'000'000;

class Sweeps : public testing::TestWithParam<std::string> {};

TEST_P(Sweeps, a_run_in_which_nothing_fails_is_good_and_makes_many_calls) {
  for (const Fault fault : all_faults) {
    if (!can_sweep(GetParam(), fault)) continue;
    const SweptRun run = run_swept(GetParam(), fault, after_all_calls);
    EXPECT_FALSE(run.verdict) << name_of(fault) << ": " << run.verdict->detail;
    EXPECT_FALSE(run.has_fallen);
    EXPECT_GT(run.calls, 0) << name_of(fault);
  }
  EXPECT_GE(run_swept(GetParam(), Fault::io_error, after_all_calls).calls, 70);
  EXPECT_GE(run_swept(GetParam(), Fault::answer_lost, after_all_calls).calls, 15);
}

TEST_P(Sweeps, a_run_that_is_made_again_is_the_same) {
  for (const std::int64_t call : {std::int64_t{20}, after_all_calls}) {
    const SweptRun run = run_swept(GetParam(), Fault::connection_lost, call);
    const SweptRun again = run_swept(GetParam(), Fault::connection_lost, call);
    EXPECT_EQ(run.calls, again.calls);
    EXPECT_EQ(run.has_fallen, call == 20);
  }
}

TEST_P(Sweeps, one_commit_in_doubt_breaks_nothing) {
  for (const Fault fault : {Fault::commit_lost, Fault::answer_lost}) {
    const Sweep swept = sweep(GetParam(), fault, 6);
    EXPECT_FALSE(swept.verdict) << name_of(fault) << " at call " << swept.broken_at << ": "
                                << swept.verdict->detail;
    EXPECT_EQ(swept.runs, (swept.calls + 5) / 6);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Sweeps, testing::ValuesIn(sweep_names()),
                         [](const auto& info) { return info.param; });

TEST(CallCounter, the_fault_falls_on_one_call_of_its_kind) {
  CallCounter counter(Fault::answer_lost, 2);
  EXPECT_FALSE(counter.next(Port::commit));
  EXPECT_FALSE(counter.next(Port::statement));
  EXPECT_FALSE(counter.has_fallen());
  EXPECT_EQ(counter.next(Port::commit), Fault::answer_lost);
  EXPECT_TRUE(counter.has_fallen());
  EXPECT_FALSE(counter.next(Port::commit));
  EXPECT_EQ(counter.calls(), 3);
}

}  // namespace
}  // namespace postrider::sim
