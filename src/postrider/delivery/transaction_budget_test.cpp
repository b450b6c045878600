#include "postrider/delivery/transaction_budget.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "postrider/runtime/gate.hpp"
#include "sim/world/run.hpp"

namespace postrider {
namespace {

using Batch = std::shared_ptr<const FactBatch>;
using Receiver = TransactionBudget::Receiver;
using Share = TransactionBudget::Share;

Batch batch_of(std::size_t bytes) {
  const std::size_t besides = sizeof(FactBatch) + std::string().capacity();
  auto batch = std::make_shared<const FactBatch>(std::string(bytes - besides, 'x'));
  EXPECT_EQ(batch->memory_bytes(), bytes);
  return batch;
}

class TransactionBudgetTest : public testing::Test {
 protected:
  std::optional<Share> take(const std::vector<Batch>& batches,
                            Receiver receiver = Receiver::healthy) {
    return budget.take(batches, receiver);
  }
  /// Waits for so much; its number is in `ended` then, and its share in `shares`.
  void begin_wait(int number, std::size_t bytes, Receiver receiver = Receiver::healthy) {
    gate.spawn(wait(this, number, bytes, receiver), "wait");
    settle();
  }
  static Async<void> wait(TransactionBudgetTest* self, int number, std::size_t bytes,
                          Receiver receiver) {
    auto share = co_await self->budget.wait(bytes, receiver);
    self->ended.push_back(share ? number : -number);
    if (share) self->shares.push_back(*std::move(share));
  }
  void settle() { runtime.run_for(Duration{}); }

  sim::VirtualRuntime runtime;
  // Large ones to those that are UP: 8,000. Those to others that are DOWN, and small ones up to
  // 1,000: 4,000 each.
  TransactionBudget budget{runtime, 16'000};
  Gate gate{runtime};
  std::vector<int> ended;
  std::vector<Share> shares;
};

TEST_F(TransactionBudgetTest, counts_a_batch_once_for_all_transactions) {
  const std::vector<Batch> one = {batch_of(5'000)};
  auto first = take(one);
  auto second = take({one[0], one[0]});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(budget.held_bytes(), 5'000U);
  first.reset();
  EXPECT_EQ(budget.held_bytes(), 5'000U);
  second.reset();
  EXPECT_EQ(budget.held_bytes(), 0U);
}

TEST_F(TransactionBudgetTest, is_full_at_its_limit) {
  const auto first = take({batch_of(4'000)});
  EXPECT_FALSE(take({batch_of(4'001)}));
  const auto second = take({batch_of(4'000)});
  EXPECT_TRUE(second);
  EXPECT_FALSE(take({batch_of(1'001)}));
  EXPECT_EQ(budget.held_bytes(), 8'000U);
}

TEST_F(TransactionBudgetTest, lets_one_transaction_pass_that_is_larger_than_all_of_it) {
  const auto share = take({batch_of(100'000)});
  EXPECT_TRUE(share);
  EXPECT_FALSE(take({batch_of(1'001)}));
}

TEST_F(TransactionBudgetTest, small_ones_and_those_to_receivers_that_are_down_have_their_own_part) {
  const auto large = take({batch_of(8'000)});
  const auto down = take({batch_of(4'000)}, Receiver::down);
  const auto small = take({batch_of(1'000)});
  EXPECT_TRUE(large && down && small);
  EXPECT_FALSE(take({batch_of(1'001)}));
  EXPECT_FALSE(take({batch_of(1'001)}, Receiver::down));
  EXPECT_TRUE(take({batch_of(1'000)}, Receiver::down));
}

TEST_F(TransactionBudgetTest, those_that_wait_go_on_in_turn_and_nobody_before_them) {
  auto held = take({batch_of(6'000)});
  begin_wait(1, 7'000);
  begin_wait(2, 1'500);
  EXPECT_EQ(budget.waiting(), 2U);
  EXPECT_FALSE(take({batch_of(1'500)})) << "it would fit, but others wait";
  held.reset();
  settle();
  EXPECT_EQ(ended, std::vector<int>{1});
  EXPECT_EQ(budget.held_bytes(), 7'000U) << "kept for it until it is read";
  shares.clear();
  settle();
  EXPECT_EQ(ended, (std::vector{1, 2}));
}

TEST_F(TransactionBudgetTest, what_is_held_by_others_by_now_need_not_wait) {
  const std::vector<Batch> one = {batch_of(6'000)};
  const auto held = take(one);
  begin_wait(1, 7'000);
  EXPECT_TRUE(take(one));
  EXPECT_EQ(budget.bytes_of(one), 0U);
}

TEST_F(TransactionBudgetTest, a_wait_for_what_fits_by_now_ends_at_once) {
  begin_wait(1, 8'000);
  EXPECT_EQ(ended, std::vector<int>{1});
  const Batch batch = batch_of(8'000);
  auto share = budget.exchange(std::move(shares.front()), std::vector{batch});
  EXPECT_TRUE(share);
  EXPECT_EQ(budget.held_bytes(), 8'000U);
  share.reset();
  EXPECT_EQ(budget.held_bytes(), 0U);
}

TEST_F(TransactionBudgetTest, what_has_become_more_during_the_wait_must_fit_too) {
  auto held = take({batch_of(5'000)});
  begin_wait(1, 3'000);
  const std::vector<Batch> more = {batch_of(3'001)};
  EXPECT_FALSE(budget.exchange(std::move(shares.front()), more));
  EXPECT_EQ(budget.held_bytes(), 5'000U) << "what was waited for is free again";
  begin_wait(2, 3'000);
  held.reset();
  EXPECT_TRUE(budget.exchange(std::move(shares.back()), more));
}

TEST_F(TransactionBudgetTest, a_stop_ends_all_waits) {
  const auto held = take({batch_of(8'000)});
  begin_wait(1, 5'000);
  begin_wait(2, 5'000);
  budget.request_stop();
  settle();
  EXPECT_EQ(ended, (std::vector{-1, -2}));
  begin_wait(3, 10);
  EXPECT_EQ(ended, (std::vector{-1, -2, -3}));
  EXPECT_EQ(budget.waiting(), 0U);
}

TEST_F(TransactionBudgetTest, a_share_may_outlive_it) {
  std::optional<Share> share;
  {
    TransactionBudget other(runtime, 16'000);
    share = other.take(std::vector{batch_of(1'000)}, Receiver::healthy);
  }
  EXPECT_TRUE(share);
}

}  // namespace
}  // namespace postrider
