#include <map>

#include "postrider/delivery/testing/delivery_world.hpp"
#include "postrider/delivery/testing/fact_numbers.hpp"

namespace postrider {
namespace {

using sim::ScriptedReceiver;
using std::chrono::seconds;

class ControllerOfStreams : public DeliveryWorld {
 protected:
  static constexpr int other_from = 100'001;  ///< facts of the other stream have these numbers

  /// A letter for each transaction that arrived: of the stream "a", or of the other, "b".
  std::string turns() const {
    std::string turns;
    for (const auto& arrival : receiver.arrivals) {
      turns += numbers_in(arrival.body).at(0) < other_from ? 'a' : 'b';
    }
    return turns;
  }
  /// What follows the prefix in the IDs of the transactions that arrived.
  Numbers transaction_numbers() const {
    Numbers numbers;
    for (const auto& arrival : receiver.arrivals) {
      numbers.push_back(std::stoi(arrival.url.substr(arrival.url.rfind('-') + 1)));
    }
    return numbers;
  }
  /// The facts of all arrivals that were answered with 200, in order.
  Numbers taken() const {
    Numbers taken;
    for (std::size_t i = 0; i < receiver.arrivals.size(); ++i) {
      if (receiver.answer(i)->status != 200) continue;
      const Numbers numbers = numbers_in(receiver.arrivals[i].body);
      taken.insert(taken.end(), numbers.begin(), numbers.end());
    }
    return taken;
  }
  /// A transaction of stream "b" that gets 413 is under way, and 30 facts of stream "a" wait.
  void send_one_that_is_too_large_and_deliver_to_another_stream() {
    Stream* const third = add_stream("third");
    put_service("a");
    receiver.latency = seconds{1};
    receiver.answer = [](std::size_t index) {
      return ScriptedReceiver::status(index == 0 ? 413 : 200);
    };
    deliver_in(*third, {"a"}, 100, other_from);
    ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
    deliver("a", 30);
  }
  /// Of the stream.
  std::size_t window_size(const std::string& id, const Stream& of) const {
    return registry->find(id)->streams.at(of.key()).inbox.slice_after(StreamId{}, 100'000).size();
  }
  void pause(const std::string& id) { ASSERT_TRUE(run(registry->pause(id))); }
  void resume(const std::string& id) { ASSERT_TRUE(run(registry->resume(id))); }

  Stream* other = add_stream("other");
};

TEST_F(ControllerOfStreams, the_streams_of_a_service_take_turns_though_one_has_far_more) {
  put_service("a");
  pause("a");
  deliver("a", 650);
  deliver_in(*other, {"a"}, 250, other_from);
  resume("a");
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(turns(), "abababaaaa");
  EXPECT_EQ(transaction_numbers(), all_to(10));
  EXPECT_EQ(facts_delivered.Value(), 900);
}

TEST_F(ControllerOfStreams, a_stream_that_becomes_busy_has_its_turn_next) {
  put_service("a");
  receiver.latency = seconds{1};
  deliver("a", 500);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 2; }));
  deliver_in(*other, {"a"}, 1, other_from);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(turns(), "aabaaa");
}

TEST_F(ControllerOfStreams, three_streams_have_turns_in_order_of_their_keys) {
  Stream* const third = add_stream("third");
  put_service("a");
  pause("a");
  deliver_in(*third, {"a"}, 200, 300'001);
  deliver_in(*other, {"a"}, 200, 200'001);
  deliver("a", 300, 100'001);
  resume("a");
  ASSERT_TRUE(run_until_idle("a"));
  Numbers firsts;
  for (const auto& arrival : receiver.arrivals) firsts.push_back(numbers_in(arrival.body).at(0));
  EXPECT_EQ(firsts, (Numbers{100'001, 200'001, 300'001, 100'101, 200'101, 300'101, 100'201}));
}

TEST_F(ControllerOfStreams,
       a_turn_ends_when_something_was_delivered_and_not_when_it_was_too_large) {
  put_service("a");
  pause("a");
  deliver("a", 100);
  deliver_in(*other, {"a"}, 30, other_from);
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 413 : 200);
  };
  resume("a");
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(turns(), "aaba");
  EXPECT_EQ(transaction_numbers(), all_to(4));
  EXPECT_EQ(facts_delivered.Value(), 130);
}

TEST_F(ControllerOfStreams, what_was_too_large_goes_on_before_a_stream_that_becomes_busy) {
  send_one_that_is_too_large_and_deliver_to_another_stream();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(turns(), "bbab");
}

TEST_F(ControllerOfStreams, what_was_too_large_goes_on_first_though_the_disk_fails_in_between) {
  send_one_that_is_too_large_and_deliver_to_another_stream();
  writer->fail_commits = true;
  runtime.run_for(seconds{5});
  ASSERT_EQ(receiver.arrivals.size(), 1U);
  writer->fail_commits = false;
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(turns(), "bbab");
}

TEST_F(ControllerOfStreams, what_was_too_large_goes_on_after_a_restart) {
  send_one_that_is_too_large_and_deliver_to_another_stream();
  controller->request_stop();
  ASSERT_TRUE(runtime.run_until([this] { return !registry->find("a")->delivering; }));
  EXPECT_TRUE(stored_cursor("a").frozen.empty());
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(turns(), "bba");
}

TEST_F(ControllerOfStreams, what_a_save_under_way_may_fail_to_write_the_next_one_writes_too) {
  const auto service = put_service("a");
  deliver("a", 10);
  ASSERT_TRUE(run_until_idle("a"));
  StreamDelivery& first = service->streams.at(stream->key());
  first.cursor.delivered = 11;
  first.revision.change();
  StreamDelivery& second = service->streams[other->key()];
  std::vector<Result<void>> outcomes;
  const auto save = [&] {
    boost::asio::co_spawn(runtime.executor(), save_delivery(*committer, service.get()),
                          [&](const std::exception_ptr&, Result<void> result) {
                            outcomes.push_back(std::move(result));
                          });
  };
  writer->fail_commits = true;
  writer->before_commit = [&] {
    writer->before_commit = [&] { writer->fail_commits = false; };
    second.cursor.transaction = TransactionNumber{2};
    second.revision.change();
    save();
  };
  save();
  ASSERT_TRUE(runtime.run_until([&] { return outcomes.size() == 2; }));
  EXPECT_FALSE(outcomes[0]);
  EXPECT_TRUE(outcomes[1]);
  EXPECT_EQ(stored_cursor("a").delivered, 11);
  EXPECT_EQ(stored_cursor("a", other->key()).transaction, TransactionNumber{2});
  EXPECT_FALSE(service->has_unsaved());
}

TEST_F(ControllerOfStreams, a_stream_that_cannot_be_read_does_not_keep_the_turn) {
  put_service("a");
  pause("a");
  deliver("a", 10);
  deliver_in(*other, {"a"}, 250, other_from);
  while (!tails->of(stream->key()).rows().empty()) ASSERT_TRUE(fold_oldest(stream->key()));
  const ServiceKey key = registry->find("a")->row.key;
  ASSERT_TRUE(drop_inbox_blocks(*writer, key, stream->key(), StreamId{1'000'000}));
  resume("a");
  const auto is_other_done = [this] { return facts_delivered.Value() >= 250; };
  EXPECT_TRUE(runtime.run_until(is_other_done));
  EXPECT_EQ(turns(), "bbb");
  EXPECT_EQ(registry->find("a")->behind(), 10);
}

TEST_F(ControllerOfStreams, a_service_without_a_url_keeps_no_window) {
  const auto receiver_with_url = put_service("a")->receiver;
  PlainDocument document = document_of("a");
  document.url.reset();
  ASSERT_TRUE(put(document));
  deliver("a", 50);
  deliver_in(*other, {"a"}, 20, other_from);
  EXPECT_EQ(window_size("a", *stream), 0U);
  EXPECT_EQ(window_size("a", *other), 0U);
  restart();
  deliver("a", 1, 51);
  EXPECT_EQ(window_size("a", *stream), 0U);
  ASSERT_TRUE(run(registry->put(receiver_with_url, ServiceSource::api)));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(facts_delivered.Value(), 71);
}

TEST_F(ControllerOfStreams, a_transaction_holds_facts_of_one_stream) {
  put_service("a");
  pause("a");
  deliver("a", 30);
  deliver_in(*other, {"a"}, 20, other_from);
  resume("a");
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(numbers_in(receiver.arrivals[0].body).size(), 30U);
  EXPECT_EQ(numbers_in(receiver.arrivals[1].body).size(), 20U);
}

TEST_F(ControllerOfStreams, each_stream_has_a_cursor_of_its_own) {
  put_service("a");
  pause("a");
  deliver("a", 150);
  deliver_in(*other, {"a"}, 20, other_from);
  resume("a");
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(stored_cursor("a"), (DeliveryCursor{.acknowledged = StreamId{150},
                                                .transaction = TransactionNumber{3},
                                                .frozen = {},
                                                .delivered = 150}));
  EXPECT_EQ(stored_cursor("a", other->key()), (DeliveryCursor{.acknowledged = StreamId{20},
                                                              .transaction = TransactionNumber{2},
                                                              .frozen = {},
                                                              .delivered = 20}));
}

TEST_F(ControllerOfStreams, what_is_frozen_of_one_stream_goes_first_and_unchanged_after_a_restart) {
  put_service("a");
  pause("a");
  deliver("a", 250);
  deliver_in(*other, {"a"}, 120, other_from);
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 1 ? 500 : 200);
  };
  resume("a");
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  ASSERT_EQ(turns(), "ab");
  settings.limits.facts_max = 40;  // a changed setting must not change what is frozen
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(receiver.arrivals[2].url, receiver.arrivals[1].url);
  EXPECT_EQ(receiver.arrivals[2].body, receiver.arrivals[1].body);
  EXPECT_EQ(numbers_in(receiver.arrivals[2].body).size(), 100U);
  EXPECT_EQ(transaction_numbers(), (Numbers{1, 2, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(turns(), "abbabaaa");
}

TEST_F(ControllerOfStreams, what_is_frozen_goes_unchanged_after_its_decisions_became_blocks) {
  put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index < 2 ? 500 : 200);
  };
  deliver("a", 50);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  deliver("a", 20, 51);
  fold_all();
  deliver("a", 20, 71);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 2; }));
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  for (const std::size_t again : {1U, 2U}) {
    EXPECT_EQ(receiver.arrivals[again].url, receiver.arrivals[0].url);
    EXPECT_EQ(receiver.arrivals[again].body, receiver.arrivals[0].body);
  }
  EXPECT_EQ(taken(), all_to(90));
}

TEST_F(ControllerOfStreams, what_is_frozen_and_was_delivered_by_another_process_is_not_sent) {
  const auto service = put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  deliver("a", 5);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  fold_all();
  // It has ended this one's session, which does not know that yet.
  acknowledge(service->row.key, stream->key(), 5, 5);
  runtime.run_for(std::chrono::minutes{5});
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{5});
}

TEST_F(ControllerOfStreams, what_was_delivered_by_another_process_is_not_sent) {
  const auto service = put_service("a");
  pause("a");
  deliver("a", 5);
  registry->find("a")->forget_windows();
  fold_all();
  acknowledge(service->row.key, stream->key(), 5, 5);
  resume("a");
  runtime.run_for(std::chrono::minutes{5});
  EXPECT_TRUE(receiver.arrivals.empty());
  EXPECT_EQ(stored_cursor("a").transaction, TransactionNumber{1});
}

TEST_F(ControllerOfStreams, a_larger_number_of_another_stream_is_not_given_out_again) {
  put_service("a");
  deliver("a", 1);
  ASSERT_TRUE(run_until_idle("a"));
  deliver_in(*other, {"a"}, 250, other_from);
  ASSERT_TRUE(run_until_idle("a"));
  restart();
  deliver("a", 1, 2);
  ASSERT_TRUE(run_until_idle("a"));
  deliver_in(*other, {"a"}, 1, other_from + 250);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(transaction_numbers(), all_to(6));
}

TEST_F(ControllerOfStreams, a_service_that_is_down_keeps_no_window_and_counts_what_comes) {
  put_service("a");
  pause("a");
  deliver("a", 250);
  deliver_in(*other, {"a"}, 30, other_from);
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  resume("a");
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  EXPECT_EQ(window_size("a", *stream), 0U);
  EXPECT_EQ(window_size("a", *other), 0U);
  deliver("a", 50, 251);
  deliver_in(*other, {"a"}, 10, other_from + 30);
  EXPECT_EQ(window_size("a", *stream), 0U);
  EXPECT_EQ(window_size("a", *other), 0U);
  EXPECT_EQ(registry->find("a")->behind(), 340);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(facts_delivered.Value(), 340);
}

TEST_F(ControllerOfStreams, a_paused_service_keeps_no_window) {
  put_service("a");
  receiver.latency = seconds{1};
  deliver("a", 250);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  ASSERT_TRUE(run(registry->pause("a")));
  EXPECT_EQ(window_size("a", *stream), 250U);  // its transaction is under way
  runtime.run_for(seconds{2});
  EXPECT_EQ(window_size("a", *stream), 0U);
  restart();
  EXPECT_EQ(registry->find("a")->behind(), 150);
  deliver("a", 1, 251);
  EXPECT_EQ(window_size("a", *stream), 0U);
  ASSERT_TRUE(run(registry->resume("a")));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(251));
}

TEST_F(ControllerOfStreams, a_service_that_is_down_keeps_no_window_of_a_stream_that_is_new_to_it) {
  put_service("a");
  receiver.answer = [](std::size_t) { return ScriptedReceiver::status(500); };
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  deliver_in(*other, {"a"}, 10, other_from);
  EXPECT_EQ(registry->find("a")->behind(), 11);
  EXPECT_EQ(window_size("a", *other), 0U);
}

TEST_F(ControllerOfStreams, a_service_that_is_up_again_keeps_in_its_window_what_comes) {
  put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  deliver("a", 250);
  ASSERT_TRUE(run_until_idle("a"));
  receiver.latency = seconds{1};
  deliver("a", 1, 251);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 5; }));
  deliver("a", 1, 252);
  EXPECT_EQ(window_size("a", *stream), 2U);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(252));
}

TEST_F(ControllerOfStreams, one_that_falls_behind_gets_every_fact_once_and_in_order) {
  for (const bool restarts : {false, true}) {
    SCOPED_TRACE(restarts);
    const std::string id = restarts ? "b" : "a";
    put_service(id);
    const std::size_t before = receiver.arrivals.size();
    bool is_well = false;
    receiver.answer = [&is_well](std::size_t) {
      return ScriptedReceiver::status(is_well ? 200 : 500);
    };
    int next = 1;
    for (int row = 0; row < 30; ++row) {
      deliver(id, 90, next);
      next += 90;
      if (row % 4 == 3) {
        ASSERT_TRUE(fold_oldest(stream->key()));
      }
      if (row % 10 == 4) fold_all();
      if (restarts && row % 7 == 6) restart();
      runtime.run_for(seconds{1});
    }
    is_well = true;
    ASSERT_TRUE(run_until_idle(id));
    EXPECT_EQ(registry->find(id)->delivered(), next - 1);
    std::map<std::string, std::string> bodies;  // by URL, which an attempt has in common with all
    Numbers got;
    for (std::size_t i = before; i < receiver.arrivals.size(); ++i) {
      const auto& arrival = receiver.arrivals[i];
      const auto [known, is_new] = bodies.try_emplace(arrival.url, arrival.body);
      EXPECT_EQ(known->second, arrival.body);
      const Numbers numbers = numbers_in(arrival.body);
      if (is_new) got.insert(got.end(), numbers.begin(), numbers.end());
    }
    EXPECT_EQ(got, all_to(next - 1));
    fold_all();
    EXPECT_TRUE(read_inbox_ends(*reader).value().empty());
  }
}

TEST_F(ControllerOfStreams, one_whose_window_is_too_small_gets_every_fact_once_and_in_order) {
  put_service("a");
  settings.limits.facts_max = 1000;
  restart();
  receiver.latency = seconds{1};
  int next = 1;
  for (int row = 0; row < 30; ++row, next += 500) deliver("a", 500, next);
  ASSERT_LT(window_size("a", *stream), 15'000U);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 4; }));
  fold_all();
  deliver("a", 500, next);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(15'500));
  EXPECT_EQ(stored_cursor("a").delivered, 15'500);
}

TEST_F(ControllerOfStreams, compaction_beside_delivery_neither_takes_nor_repeats_anything) {
  Compaction compaction(runtime, *committer, *tails,
                        {.tail_bytes = 1, .step_cost = 1, .cost_per_second = 1000});
  compaction.watch(stream->key());
  compaction.start();
  put_service("a");
  receiver.latency = std::chrono::milliseconds{100};
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index % 5 == 1 ? 500 : 200);
  };
  for (int row = 0; row < 60; ++row) {
    deliver("a", 70, 1 + 70 * row);
    runtime.run_for(std::chrono::milliseconds{70});
  }
  EXPECT_TRUE(run_until_idle("a"));
  run(compaction.stop());
  EXPECT_EQ(taken(), all_to(4200));
}

}  // namespace
}  // namespace postrider
