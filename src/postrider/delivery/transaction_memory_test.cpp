// Delivery within the memory for transactions in flight.
#include "postrider/delivery/testing/delivery_world.hpp"

namespace postrider {
namespace {

using std::chrono::seconds;

class TransactionMemory : public DeliveryWorld {
 protected:
  TransactionMemory() {
    receiver.latency = seconds{10};
    for (const char* id : {"a", "b", "c"}) put_service(id);
  }
  /// Memory for one transaction of 50 facts, besides small ones and those to receivers that are
  /// DOWN.
  void allow_one() {
    in_flight_bytes_max = 2 * facts(*stream, 50)->memory_bytes() + 1'000;
    restart();
  }
  bool run_until_all_are_idle() {
    return run_until_idle("a") && run_until_idle("b") && run_until_idle("c");
  }
};

TEST_F(TransactionMemory, what_does_not_fit_is_sent_when_others_are_answered) {
  allow_one();
  deliver("a", 50, 1);
  deliver("b", 50, 51);
  deliver("c", 50, 101);
  runtime.run_for(seconds{5});
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  EXPECT_EQ(budget->waiting(), 2U);
  ASSERT_TRUE(run_until_all_are_idle());
  EXPECT_EQ(receiver.arrivals.size(), 3U);
  EXPECT_EQ(receiver.in_flight_max, 1);
  EXPECT_EQ(budget->held_bytes(), 0U);
}

TEST_F(TransactionMemory, without_a_limit_that_matters_all_are_sent_at_once) {
  deliver("a", 50, 1);
  deliver("b", 50, 51);
  deliver("c", 50, 101);
  ASSERT_TRUE(run_until_all_are_idle());
  EXPECT_EQ(receiver.in_flight_max, 3);
}

TEST_F(TransactionMemory, receivers_of_the_same_facts_need_it_once) {
  allow_one();
  deliver_in(*stream, {"a", "b", "c"}, 50, 1);
  ASSERT_TRUE(run_until_all_are_idle());
  EXPECT_EQ(receiver.in_flight_max, 3);
}

TEST_F(TransactionMemory, small_ones_pass_large_ones_that_wait) {
  allow_one();
  deliver("a", 50, 1);
  deliver("b", 50, 51);
  deliver("c", 1, 101);
  runtime.run_for(seconds{5});
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_TRUE(receiver.arrivals[1].url.starts_with("http://c.test/"));
  ASSERT_TRUE(run_until_all_are_idle());
}

TEST_F(TransactionMemory, what_is_frozen_is_sent_again_under_the_same_id_when_it_fits) {
  allow_one();
  receiver.answer = [](std::size_t index) {
    return sim::ScriptedReceiver::status(index == 0 ? 503 : 200);
  };
  deliver("a", 50, 1);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  deliver("b", 50, 51);
  ASSERT_TRUE(run_until_all_are_idle());
  std::vector<std::string> bodies;
  for (const auto& arrival : receiver.arrivals) {
    if (arrival.url.starts_with("http://a.test/")) bodies.push_back(arrival.url + arrival.body);
  }
  ASSERT_EQ(bodies.size(), 2U);
  EXPECT_EQ(bodies[0], bodies[1]);
}

TEST_F(TransactionMemory, a_backlog_is_read_ahead_only_where_that_fits) {
  allow_one();
  settings.limits.facts_max = 50;
  restart();
  receiver.latency = {};
  deliver("a", 50, 1);
  deliver("a", 50, 51);
  deliver("a", 50, 101);
  ASSERT_TRUE(run_until_all_are_idle());
  EXPECT_EQ(receiver.arrivals.size(), 3U);
  EXPECT_EQ(budget->held_bytes(), 0U);
}

TEST_F(TransactionMemory, facts_that_come_during_a_wait_are_sent_within_the_memory_too) {
  allow_one();
  deliver("a", 50, 1);
  deliver("b", 40, 51);
  deliver("c", 40, 91);
  runtime.run_for(seconds{5});
  deliver("b", 60, 131);
  deliver("c", 60, 191);
  std::size_t held_max = 0;
  receiver.on_arrival = [this, &held_max](const auto&) {
    held_max = std::max(held_max, budget->held_bytes());
  };
  ASSERT_TRUE(run_until_all_are_idle());
  EXPECT_LE(held_max,
            facts(*stream, 40, 100)->memory_bytes() + facts(*stream, 60, 140)->memory_bytes());
  EXPECT_EQ(receiver.in_flight_max, 1);
}

TEST_F(TransactionMemory, what_was_taken_is_on_the_disk_before_a_wait) {
  in_flight_bytes_max = 2 * facts(*stream, 100, 100)->memory_bytes() + 1'000;
  restart();
  receiver.answer = [this](std::size_t index) {
    // While "a" sends its first one, "b" begins to wait; it sends before "a" does again.
    if (index == 0) receiver.latency = std::chrono::minutes{5};
    return sim::ScriptedReceiver::status(200);
  };
  deliver("a", 100, 100);
  runtime.run_for(seconds{1});
  deliver("b", 100, 200);
  deliver("a", 100, 300);
  runtime.run_for(std::chrono::minutes{1});
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  ASSERT_TRUE(receiver.arrivals[1].url.starts_with("http://b.test/"));
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{100});
  ASSERT_TRUE(run_until_all_are_idle());
}

TEST_F(TransactionMemory, a_stop_does_not_wait_for_it) {
  allow_one();
  deliver("a", 50, 1);
  deliver("b", 50, 51);
  runtime.run_for(seconds{5});
  ASSERT_EQ(budget->waiting(), 1U);
  controller->request_stop();
  run(controller->gate().drained());
  EXPECT_EQ(receiver.arrivals.size(), 1U);
}

}  // namespace
}  // namespace postrider
