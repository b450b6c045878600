#include "sim/history/ledger.hpp"

#include <gtest/gtest.h>

namespace postrider::sim {
namespace {

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    for (int i = 0; i < 3; ++i) ledger.send("s", {}, 0);
  }
  std::map<std::int64_t, std::string> stored(std::initializer_list<std::int64_t> numbers) {
    std::map<std::int64_t, std::string> payloads;
    for (const std::int64_t number : numbers) payloads[number] = ledger.fact(number).payload;
    return payloads;
  }
  [[nodiscard]] bool is_sound() const { return !referee.verdict(); }

  Timeline timeline;
  Referee referee;
  Ledger ledger{referee, timeline};
};

TEST_F(LedgerTest, knows_a_fact_by_the_number_in_its_payload) {
  EXPECT_EQ(number_in(ledger.fact(2).payload), 2);
  EXPECT_EQ(number_in("{}"), std::nullopt);
}

TEST_F(LedgerTest, what_was_answered_and_is_there_is_sound) {
  ledger.answered("s", StreamId{1}, StreamId{3}, {1, 2, 3});
  ledger.seen_all("s", StreamId{0}, StreamId{9}, stored({1, 2, 3}));
  ledger.answered("s", StreamId{1}, StreamId{3}, {1, 2, 3});
  EXPECT_TRUE(is_sound());
}

TEST_F(LedgerTest, what_was_answered_may_not_be_missing) {
  ledger.answered("s", StreamId{1}, StreamId{3}, {1, 2, 3});
  ledger.seen_all("s", StreamId{1}, StreamId{9}, stored({2, 3}));
  EXPECT_TRUE(is_sound());
  ledger.seen_all("s", StreamId{0}, StreamId{9}, stored({1, 3}));
  EXPECT_FALSE(is_sound());
}

TEST_F(LedgerTest, a_fact_stands_in_one_place) {
  ledger.answered("s", StreamId{1}, StreamId{1}, {1});
  ledger.answered("s", StreamId{2}, StreamId{2}, {1});
  EXPECT_FALSE(is_sound());
}

TEST_F(LedgerTest, a_place_holds_one_fact) {
  ledger.answered("s", StreamId{1}, StreamId{1}, {1});
  ledger.seen("s", StreamId{1}, ledger.fact(2).payload);
  EXPECT_FALSE(is_sound());
}

TEST_F(LedgerTest, a_fact_comes_back_as_it_was_sent) {
  ledger.seen("s", StreamId{1}, " " + ledger.fact(1).payload);
  EXPECT_FALSE(is_sound());
}

}  // namespace
}  // namespace postrider::sim
