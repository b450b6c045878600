#include "sim/history/judge.hpp"

#include <gtest/gtest.h>

namespace postrider::sim {
namespace {

using std::chrono::seconds;

class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    for (int i = 0; i < 4; ++i) ledger.send("s", {}, 0);
    registrations.put("svc", "p", true, {}, {});
  }

  static DeliveryPolicy delivery() {
    DeliveryPolicy settings;
    settings.limits.facts_max = 2;
    settings.backoff.min = seconds{2};
    settings.backoff.max = seconds{8};
    return settings;
  }
  std::string body(std::initializer_list<std::int64_t> numbers) {
    std::string text = R"({"events":[)";
    for (const std::int64_t number : numbers) {
      if (text.back() != '[') text += ',';
      text += ledger.fact(number).payload;
    }
    return text + "]}";
  }
  void deliver(std::int64_t number, const std::string& text, bool success = true) {
    const Judge::Address address{"p", number};
    judge.begins(address, now, 0);
    judge.arrived(address, text, success, now, 0);
    judge.ends(address, now, {.success = success, .retry_after = {}}, 0);
  }
  [[nodiscard]] std::optional<Check> broken() const {
    if (!referee.verdict()) return std::nullopt;
    return referee.verdict()->check;
  }

  MonoTime now{};
  Timeline timeline;
  Referee referee;
  Ledger ledger{referee, timeline};
  Registrations registrations;
  Judge judge{referee, ledger, registrations, delivery()};
};

TEST_F(JudgeTest, transactions_that_count_up_and_retries_with_the_same_bytes_are_sound) {
  deliver(1, body({1, 2}), false);
  now += seconds{2};
  deliver(1, body({1, 2}), false);
  now += seconds{4};
  deliver(1, body({1, 2}));
  deliver(2, body({3}));
  EXPECT_EQ(broken(), std::nullopt);
  EXPECT_EQ(judge.record("p").facts, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(judge.retries(), 2);
}

TEST_F(JudgeTest, other_bytes_under_the_same_number_are_not) {
  deliver(1, body({1, 2}), false);
  now += seconds{2};
  deliver(1, body({1}));
  EXPECT_EQ(broken(), Check::same_bytes);
}

TEST_F(JudgeTest, a_number_that_is_left_out_is_not) {
  deliver(1, body({1}));
  deliver(3, body({2}));
  EXPECT_EQ(broken(), Check::same_bytes);
}

TEST_F(JudgeTest, a_number_that_comes_before_the_last_was_taken_in_is_not) {
  deliver(1, body({1}), false);
  now += seconds{2};
  deliver(2, body({2}));
  EXPECT_EQ(broken(), Check::same_bytes);
}

TEST_F(JudgeTest, a_number_is_sent_again_only_as_far_back_as_receivers_remember) {
  DeliveryPolicy policy = delivery();
  policy.acknowledge_behind = 1;
  Judge patient{referee, ledger, registrations, policy};
  const auto send = [&](std::int64_t number) {
    const Judge::Address address{"p", number};
    patient.begins(address, now, 0);
    patient.arrived(address, body({number}), true, now, 0);
    patient.ends(address, now, {.success = true, .retry_after = {}}, 0);
  };
  for (const auto& of_process : {std::vector{1, 2}, {1, 2, 3}, {2}}) {
    for (const std::int64_t number : of_process) send(number);
    patient.process_ended();
  }
  EXPECT_EQ(broken(), std::nullopt);
  send(1);
  EXPECT_EQ(broken(), Check::same_bytes);
}

TEST_F(JudgeTest, a_process_does_not_go_back_though_receivers_remember) {
  DeliveryPolicy policy = delivery();
  policy.acknowledge_behind = 5;
  Judge patient{referee, ledger, registrations, policy};
  for (const std::int64_t number : {1, 2, 1}) {
    EXPECT_EQ(broken(), std::nullopt);
    const Judge::Address address{"p", number};
    patient.begins(address, now, 0);
    patient.arrived(address, body({number}), true, now, 0);
    patient.ends(address, now, {.success = true, .retry_after = {}}, 0);
  }
  EXPECT_EQ(broken(), Check::same_bytes);
}

/// A transaction that is too large, and its half under `number`.
void split_into(Judge& judge, std::int64_t number, const std::string& large,
                const std::string& half) {
  const Judge::Address refused{"p", 1};
  judge.begins(refused, {}, 0);
  judge.arrived(refused, large, false, {}, 0);
  judge.refused(refused);
  judge.ends(refused, {}, {.success = false, .retry_after = {}, .split = true}, 0);
  judge.arrived({"p", number}, half, true, {}, 0);
}

TEST_F(JudgeTest, after_one_that_was_too_large_as_many_numbers_are_left_out_as_were_frozen) {
  DeliveryPolicy policy = delivery();
  policy.acknowledge_behind = 2;
  for (const std::int64_t number : {2, 3, 4}) {
    Judge patient{referee, ledger, registrations, policy};
    split_into(patient, number, body({1, 2}), body({1}));
    EXPECT_EQ(broken(), std::nullopt) << number;
    EXPECT_EQ(patient.record("p").facts, std::vector<std::int64_t>{1});
  }
  Judge patient{referee, ledger, registrations, policy};
  split_into(patient, 5, body({1, 2}), body({1}));
  EXPECT_EQ(broken(), Check::same_bytes);
}

TEST_F(JudgeTest, a_number_that_was_given_up_is_not_sent) {
  DeliveryPolicy policy = delivery();
  policy.acknowledge_behind = 2;
  Judge patient{referee, ledger, registrations, policy};
  split_into(patient, 3, body({1, 2}), body({1}));
  EXPECT_EQ(broken(), std::nullopt);
  patient.arrived({"p", 2}, body({2}), true, now, 0);
  EXPECT_EQ(broken(), Check::same_bytes);
}

TEST_F(JudgeTest, what_was_sent_before_the_last_is_not_sent_again_to_others) {
  for (const std::int64_t number : {1, 2, 1}) deliver(number, body({number}));
  EXPECT_EQ(broken(), Check::same_bytes);
}

TEST_F(JudgeTest, bytes_that_nobody_sent_are_not) {
  deliver(1, R"({"events":[{"n":1}]})");
  EXPECT_EQ(broken(), Check::same_bytes);
}

TEST_F(JudgeTest, more_facts_than_allowed_are_not) {
  deliver(1, body({1, 2, 3}));
  EXPECT_EQ(broken(), Check::bounded_transaction);
}

TEST_F(JudgeTest, two_at_a_time_are_not) {
  judge.begins({"p", 1}, now, 0);
  judge.begins({"p", 1}, now, 0);
  EXPECT_EQ(broken(), Check::one_in_flight);
}

TEST_F(JudgeTest, a_retry_before_its_time_is_not_unless_an_operator_asked) {
  deliver(1, body({1}), false);
  judge.operator_begins("p");
  judge.operator_ends("p", false);
  deliver(1, body({1}), false);
  now += seconds{1};
  EXPECT_EQ(broken(), std::nullopt);
  deliver(1, body({1}), false);
  now += seconds{1};
  deliver(1, body({1}));
  EXPECT_EQ(broken(), Check::backoff);
}

TEST_F(JudgeTest, what_was_lost_with_its_connection_may_go_again_at_once) {
  const Judge::Address address{"p", 1};
  judge.begins(address, now, 0);
  judge.ends(address, now, {.untried = true}, 0);
  deliver(1, body({1}), false);
  EXPECT_EQ(broken(), std::nullopt);
  judge.begins(address, now, 0);
  EXPECT_EQ(broken(), Check::backoff);
}

TEST_F(JudgeTest, what_leaves_a_process_after_another_one_took_over_is_not_sound) {
  const Judge::Address address{"p", 1};
  judge.begins(address, now, 0);
  judge.leaves(address, 0);
  EXPECT_EQ(broken(), std::nullopt);
  judge.hand_over(1);
  judge.leaves(address, 0);
  EXPECT_EQ(broken(), Check::one_in_flight);
}

TEST_F(JudgeTest, what_is_paused_gets_nothing) {
  judge.set_paused("p", true);
  judge.begins({"p", 1}, now, 0);
  EXPECT_EQ(broken(), Check::paused);
}

TEST_F(JudgeTest, what_is_deleted_gets_nothing) {
  registrations.remove("svc", {});
  judge.begins({"p", 1}, now, 0);
  EXPECT_EQ(broken(), Check::linear_order);
}

}  // namespace
}  // namespace postrider::sim
