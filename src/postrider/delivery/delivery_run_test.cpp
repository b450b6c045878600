#include "postrider/delivery/delivery_run.hpp"

#include "postrider/delivery/testing/delivery_world.hpp"
#include "postrider/delivery/testing/fact_numbers.hpp"

namespace postrider {
namespace {

using sim::ScriptedReceiver;
using std::chrono::milliseconds;
using std::chrono::seconds;

class DeliveryRunTest : public DeliveryWorld {
 protected:
  DeliveryRunTest() {
    receiver.latency = seconds{1};
    receiver.on_arrival = [this](const auto&) { stored.push_back(stored_cursor("a")); };
  }
  /// The receivers remember so many IDs besides the last one.
  void acknowledge_behind(std::size_t count) {
    settings.acknowledge_behind = count;
    restart();
  }
  /// Of facts from 1 on, while nothing is sent.
  void store_backlog(int count) {
    put_service("a");
    ASSERT_TRUE(run(registry->pause("a")));
    deliver("a", count);
  }
  void resume() { ASSERT_TRUE(run(registry->resume("a"))); }
  bool run_until_arrivals(std::size_t count) {
    return runtime.run_until([this, count] { return receiver.arrivals.size() >= count; });
  }
  static int number_of(const ScriptedReceiver::Arrival& arrival) {
    return std::stoi(arrival.url.substr(arrival.url.rfind('-') + 1));
  }
  Numbers numbers() const {
    Numbers numbers;
    for (const auto& arrival : receiver.arrivals) numbers.push_back(number_of(arrival));
    return numbers;
  }
  /// The facts of all transactions that were answered 200, each of them once.
  Numbers taken() const {
    std::map<int, std::string> bodies;
    for (std::size_t i = 0; i < receiver.arrivals.size(); ++i) {
      const auto& arrival = receiver.arrivals[i];
      if (receiver.answer(i)->status != 200) continue;
      const auto [known, is_new] = bodies.emplace(number_of(arrival), arrival.body);
      EXPECT_EQ(known->second, arrival.body) << "transaction " << known->first;
    }
    Numbers taken;
    for (const auto& [number, body] : bodies) {
      const Numbers facts = numbers_in(body);
      taken.insert(taken.end(), facts.begin(), facts.end());
    }
    return taken;
  }

  std::vector<DeliveryCursor> stored;  ///< on the disk, as each request arrived
};

TEST_F(DeliveryRunTest, a_full_transaction_that_waits_is_read_while_one_is_in_flight) {
  stream = only_stream(open_stream({.tail_cache_bytes = 0, .block_cache_bytes = 0}));
  restart();
  receiver.on_arrival = [](const auto&) {};  // reads nothing
  store_backlog(250);
  resume();
  ASSERT_TRUE(run_until_arrivals(1));
  const int at_first = reader->statements;
  runtime.run_for(milliseconds{500});
  const int while_in_flight = reader->statements;
  EXPECT_GT(while_in_flight, at_first);
  ASSERT_TRUE(run_until_arrivals(2));
  EXPECT_EQ(reader->statements, while_in_flight);
  // What is left is less than a transaction, and may grow until its turn has come.
  runtime.run_for(milliseconds{500});
  EXPECT_EQ(reader->statements, while_in_flight);
  deliver("a", 10, 251);
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 3U);
  EXPECT_EQ(numbers_in(receiver.arrivals[2].body), all_to(260, 201));
}

TEST_F(DeliveryRunTest, what_was_read_ahead_does_not_outlive_a_failure) {
  store_backlog(300);
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 413 : 200);
  };
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(300));
  EXPECT_EQ(numbers(), all_to(static_cast<int>(receiver.arrivals.size())));
}

TEST_F(DeliveryRunTest, by_default_each_is_acknowledged_on_the_disk_before_the_next_is_sent) {
  store_backlog(450);
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(stored.size(), 5U);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    EXPECT_EQ(stored[i].acknowledged, StreamId{100 * static_cast<std::int64_t>(i)});
    EXPECT_EQ(stored[i].frozen.size(), 1U);
  }
}

TEST_F(DeliveryRunTest, each_is_frozen_before_it_is_sent_however_far_acknowledgements_are_behind) {
  for (const std::size_t behind : {1U, 2U, 3U, 8U}) {
    receiver.arrivals.clear();
    stored.clear();
    acknowledge_behind(behind);
    if (!registry->find("a")) put_service("a");
    ASSERT_TRUE(run(registry->pause("a")));
    const auto first = static_cast<int>(registry->find("a")->delivered()) + 1;
    deliver("a", 2050, first);
    resume();
    ASSERT_TRUE(run_until_idle("a"));
    ASSERT_EQ(stored.size(), 21U);
    for (std::size_t i = 0; i < stored.size(); ++i) {
      const Numbers facts = numbers_in(receiver.arrivals[i].body);
      EXPECT_EQ(std::ranges::count(stored[i].frozen, StreamId{facts.back()}), 1) << i;
      const auto acknowledged_before = (facts.front() - 1 - stored[i].acknowledged.value) / 100;
      EXPECT_LE(acknowledged_before, static_cast<std::int64_t>(behind)) << i;
    }
    EXPECT_EQ(taken(), all_to(first + 2049, first));
  }
}

TEST_F(DeliveryRunTest, no_more_is_sent_than_may_be_behind_while_the_disk_refuses) {
  acknowledge_behind(3);
  store_backlog(3000);
  resume();
  ASSERT_TRUE(run_until_arrivals(5));
  writer->fail_commits = true;
  runtime.run_for(seconds{60});
  const std::size_t sent = receiver.arrivals.size();
  const StreamId acknowledged = stored_cursor("a").acknowledged;
  EXPECT_LE(static_cast<std::int64_t>(100 * sent) - acknowledged.value, 400);
  writer->fail_commits = false;
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(numbers(), all_to(30));
  EXPECT_EQ(taken(), all_to(3000));
}

TEST_F(DeliveryRunTest, after_a_restart_what_was_not_acknowledged_on_the_disk_is_sent_again) {
  acknowledge_behind(5);
  store_backlog(3000);
  resume();
  ASSERT_TRUE(run_until_arrivals(8));
  writer->fail_commits = true;
  runtime.run_for(seconds{60});
  const int last = number_of(receiver.arrivals.back());
  const std::size_t sent = receiver.arrivals.size();
  const DeliveryCursor cursor = stored_cursor("a");
  writer->fail_commits = false;
  settings.acknowledge_behind = 0;  // a changed setting must not change what is frozen
  writer->commits_refused = 1;      // the last save of the one that ends
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_GT(receiver.arrivals.size(), sent);
  const int again = number_of(receiver.arrivals[sent]);
  EXPECT_EQ(again, cursor.first_frozen().value);
  EXPECT_GE(again, last - 5);
  EXPECT_LE(again, last);
  EXPECT_EQ(taken(), all_to(3000));
  for (std::size_t i = sent + 1; i < stored.size(); ++i) {
    const Numbers before = numbers_in(receiver.arrivals[i - 1].body);
    EXPECT_EQ(stored[i].acknowledged, StreamId{before.back()}) << i;
  }
}

TEST_F(DeliveryRunTest, what_is_frozen_ahead_is_given_up_when_one_before_it_was_too_large) {
  acknowledge_behind(5);
  store_backlog(1000);
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 4 || index == 9 ? 413 : 200);
  };
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(1000));
  const Numbers sent = numbers();
  EXPECT_TRUE(std::ranges::is_sorted(sent, std::ranges::less_equal{})) << "a number came twice";
  EXPECT_GT(sent.back(), std::ssize(sent)) << "those that are given up leave a gap";
}

TEST_F(DeliveryRunTest, what_a_process_before_has_sent_lends_its_number_to_no_other_facts) {
  acknowledge_behind(5);
  store_backlog(1000);
  resume();
  ASSERT_TRUE(run_until_arrivals(4));
  writer->fail_commits = true;  // no acknowledgement reaches the disk any more
  runtime.run_for(seconds{60});
  writer->fail_commits = false;
  const std::size_t before = receiver.arrivals.size();
  // A proxy before the receiver has become stricter.
  receiver.answer = [before](std::size_t index) {
    return ScriptedReceiver::status(index == before ? 413 : 200);
  };
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_GT(receiver.arrivals.size(), before);
  EXPECT_LT(number_of(receiver.arrivals[before]), number_of(receiver.arrivals[before - 1]))
      << "one that was taken before comes again";
  std::map<int, std::string> bodies;
  for (const auto& arrival : receiver.arrivals) {
    const auto [known, is_new] = bodies.emplace(number_of(arrival), arrival.body);
    EXPECT_EQ(known->second, arrival.body) << "transaction " << known->first;
  }
}

TEST_F(DeliveryRunTest, a_setting_that_is_lowered_holds_for_what_was_sent_under_the_higher_one) {
  acknowledge_behind(5);
  store_backlog(3000);
  resume();
  ASSERT_TRUE(run_until_arrivals(5));
  writer->fail_commits = true;
  runtime.run_for(seconds{60});
  const std::size_t sent = receiver.arrivals.size();
  settings.acknowledge_behind = 1;
  restart();
  // The disk refuses still: nothing may be sent that a receiver could not know again.
  runtime.run_for(seconds{60});
  const int acknowledged = static_cast<int>(stored_cursor("a").first_frozen().value) - 1;
  for (std::size_t i = sent; i < receiver.arrivals.size(); ++i) {
    EXPECT_LE(number_of(receiver.arrivals[i]), acknowledged + 2);
  }
  writer->fail_commits = false;
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(3000));
}

TEST_F(DeliveryRunTest, what_is_frozen_ahead_waits_through_a_failure_and_a_pause) {
  acknowledge_behind(4);
  store_backlog(1000);
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 3 ? 500 : 200);
  };
  resume();
  ASSERT_TRUE(run_until_arrivals(7));
  ASSERT_TRUE(run(registry->pause("a")));
  runtime.run_for(seconds{60});
  const std::size_t sent = receiver.arrivals.size();
  EXPECT_EQ(sent, 7U);
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(1000));
  EXPECT_EQ(numbers(), (Numbers{1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10}));
}

TEST_F(DeliveryRunTest, what_is_frozen_ahead_is_bounded_by_its_bytes) {
  settings.limits.bytes_max = 1000;
  acknowledge_behind(100);
  store_backlog(500);
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  std::size_t most = 0;
  for (const DeliveryCursor& cursor : stored) most = std::max(most, cursor.frozen.size());
  EXPECT_LE(most, 5U);
  EXPECT_EQ(taken(), all_to(500));
}

TEST_F(DeliveryRunTest, streams_take_turns_though_acknowledgements_may_be_behind) {
  Stream* const other = add_stream("other");
  acknowledge_behind(5);
  put_service("a");
  ASSERT_TRUE(run(registry->pause("a")));
  deliver("a", 300);
  deliver_in(*other, {"a"}, 300, 100'001);
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  Numbers firsts;
  for (const auto& arrival : receiver.arrivals) firsts.push_back(numbers_in(arrival.body).at(0));
  EXPECT_EQ(firsts, (Numbers{1, 100'001, 101, 100'101, 201, 100'201}));
}

TEST_F(DeliveryRunTest, what_is_frozen_ahead_waits_for_a_receiver_that_wanted_nothing_more) {
  acknowledge_behind(4);
  store_backlog(1000);
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 3 ? 410 : 200);
  };
  resume();
  ASSERT_TRUE(
      runtime.run_until([this] { return stored_state("a").status == DeliveryStatus::paused; }));
  const std::size_t sent = receiver.arrivals.size();
  EXPECT_EQ(sent, 4U);
  restart();
  runtime.run_for(std::chrono::hours{24});
  EXPECT_EQ(receiver.arrivals.size(), sent);
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(numbers(), (Numbers{1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(taken(), all_to(1000));
}

TEST_F(DeliveryRunTest, a_service_that_is_deleted_takes_what_is_frozen_ahead_with_it) {
  acknowledge_behind(4);
  store_backlog(1000);
  resume();
  ASSERT_TRUE(run_until_arrivals(4));
  ASSERT_TRUE(run(registry->remove("a")));
  runtime.run_for(seconds{60});
  EXPECT_EQ(receiver.arrivals.size(), 4U);
  EXPECT_TRUE(read_cursors(*reader).value().empty());
}

TEST_F(DeliveryRunTest, an_orderly_restart_sends_nothing_again_that_was_taken) {
  acknowledge_behind(5);
  store_backlog(3000);
  resume();
  ASSERT_TRUE(run_until_arrivals(9));
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(numbers(), all_to(30));
  EXPECT_EQ(taken(), all_to(3000));
}

TEST_F(DeliveryRunTest, a_setting_that_changes_between_two_transactions_holds_from_then_on) {
  store_backlog(3000);
  resume();
  ASSERT_TRUE(run_until_arrivals(3));
  const auto service = registry->find("a");
  service->policy.acknowledge_behind = 6;
  ASSERT_TRUE(run_until_arrivals(12));
  std::size_t most = 0;
  for (const DeliveryCursor& cursor : stored) most = std::max(most, cursor.frozen.size());
  EXPECT_GT(most, 1U) << "nothing was frozen ahead";
  service->policy.acknowledge_behind = 0;
  const std::size_t changed = receiver.arrivals.size();
  ASSERT_TRUE(run_until_idle("a"));
  // One may be on its way already.
  for (std::size_t i = changed + 1; i < stored.size(); ++i) {
    const Numbers facts = numbers_in(receiver.arrivals[i].body);
    EXPECT_EQ(stored[i].acknowledged, StreamId{facts.front() - 1}) << i;
  }
  EXPECT_EQ(numbers(), all_to(30));
  EXPECT_EQ(taken(), all_to(3000));
}

TEST_F(DeliveryRunTest, a_second_stream_that_wakes_gets_its_turn_after_what_is_frozen_ahead) {
  Stream* const other = add_stream("other");
  acknowledge_behind(5);
  store_backlog(3000);
  resume();
  ASSERT_TRUE(run_until_arrivals(8));
  deliver_in(*other, {"a"}, 100, 100'001);
  ASSERT_TRUE(run_until_idle("a"));
  std::size_t turn = 0;
  for (std::size_t i = 0; i < receiver.arrivals.size(); ++i) {
    if (numbers_in(receiver.arrivals[i].body).front() == 100'001) turn = i;
  }
  EXPECT_GE(turn, 8U);
  EXPECT_LE(turn, 8U + 2 * 6) << "it waited for more than could be frozen before it";
  Numbers all = all_to(3000);
  const Numbers others = all_to(100'100, 100'001);
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(100 * turn), others.begin(), others.end());
  EXPECT_EQ(taken(), all);
}

}  // namespace
}  // namespace postrider
