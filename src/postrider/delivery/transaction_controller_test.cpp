#include "postrider/delivery/transaction_controller.hpp"

#include <set>

#include "postrider/delivery/answer_excerpt.hpp"
#include "postrider/delivery/testing/delivery_world.hpp"

namespace postrider {
namespace {

using sim::ScriptedReceiver;
using std::chrono::seconds;

class Controller : public DeliveryWorld {
 protected:
  std::vector<std::string> urls() const {
    std::vector<std::string> urls;
    for (const auto& arrival : receiver.arrivals) urls.push_back(arrival.url);
    return urls;
  }
  /// Calls `then` at the commit after the next `count` ones, before it is on disk.
  void before_commit(int count, std::function<void()> then) {
    if (count > 0) {
      then = [this, count, then = std::move(then)] { before_commit(count - 1, then); };
    }
    writer->before_commit = std::move(then);
  }
};

TEST_F(Controller, a_transaction_is_on_disk_before_its_first_byte_leaves) {
  put_service("a");
  std::vector<std::vector<StreamId>> frozen;
  std::vector<TransactionNumber> numbers;
  receiver.on_arrival = [&](const auto&) {
    frozen.push_back(stored_cursor("a").frozen);
    numbers.push_back(stored_cursor("a").transaction);
  };
  deliver("a", 150);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(frozen, (std::vector<std::vector<StreamId>>{{StreamId{100}}, {StreamId{150}}}));
  EXPECT_EQ(numbers, (std::vector{TransactionNumber{1}, TransactionNumber{2}}));
}

TEST_F(Controller, the_commit_that_freezes_the_next_transaction_acknowledges_the_one_before) {
  put_service("a");
  std::vector<StreamId> acknowledged;
  receiver.on_arrival = [&](const auto&) {
    acknowledged.push_back(stored_cursor("a").acknowledged);
  };
  deliver("a", 150);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(acknowledged, (std::vector<StreamId>{StreamId{0}, StreamId{100}}));
  const DeliveryCursor cursor = stored_cursor("a");
  EXPECT_EQ(cursor.acknowledged, StreamId{150});
  EXPECT_TRUE(cursor.frozen.empty());
  EXPECT_EQ(cursor.transaction, TransactionNumber{2});
  EXPECT_EQ(cursor.delivered, 150);
}

TEST_F(Controller, transaction_ids_of_a_service_count_up_under_its_prefix) {
  const auto service = put_service("a");
  deliver("a", 201);
  ASSERT_TRUE(run_until_idle("a"));
  const std::string start = "http://a.test/" + service->row.transaction_prefix;
  EXPECT_EQ(urls(), (std::vector<std::string>{start + "-1", start + "-2", start + "-3"}));
}

TEST_F(Controller, a_transaction_that_cannot_be_frozen_is_not_sent_and_keeps_its_number) {
  put_service("a");
  deliver("a", 1);
  ASSERT_TRUE(run_until_idle("a"));
  before_commit(2, [this] { writer->fail_commits = true; });
  deliver("a", 1, 2);  // the facts and the decision on them are a commit each; the next one freezes
  runtime.run_for(seconds{10});
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  const auto service = registry->find("a");
  EXPECT_TRUE(service->streams.at(stream->key()).cursor.frozen.empty());
  EXPECT_EQ(service->last_transaction(), TransactionNumber{1});
  EXPECT_EQ(service->delivery.status, DeliveryStatus::up);
  EXPECT_EQ(service->delivery.attempts, 0);
  writer->fail_commits = false;
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_TRUE(urls()[1].ends_with("-2"));
}

TEST_F(Controller, an_acknowledgement_that_could_not_be_saved_is_saved_later) {
  put_service("a");
  receiver.latency = seconds{1};
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  writer->fail_commits = true;
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{0});
  writer->fail_commits = false;
  deliver("a", 1, 2);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{2});
  EXPECT_EQ(receiver.arrivals.size(), 2U);
}

TEST_F(Controller, what_could_not_be_saved_is_saved_although_nothing_more_is_to_be_delivered) {
  put_service("a");
  receiver.latency = seconds{1};
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  writer->fail_commits = true;
  ASSERT_TRUE(run_until_idle("a"));
  runtime.run_for(seconds{3});
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{0});
  writer->fail_commits = false;
  runtime.run_for(seconds{3});
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{1});
  EXPECT_EQ(receiver.arrivals.size(), 1U);
}

TEST_F(Controller, a_failed_transaction_goes_again_unchanged_after_a_restart) {
  put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  deliver("a", 3);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  deliver("a", 2, 4);
  settings.limits.facts_max = 2;  // a changed setting must not change what is frozen
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 3U);
  EXPECT_EQ(receiver.arrivals[1].url, receiver.arrivals[0].url);
  EXPECT_EQ(receiver.arrivals[1].body, receiver.arrivals[0].body);
  EXPECT_NE(receiver.arrivals[2].body.find("\"n\":4"), std::string::npos);
}

TEST_F(Controller, what_a_receiver_is_told_to_wait_is_waited_within_the_longest_interval) {
  put_service("a");
  std::vector<int> told = {100, 1, 100'000};
  receiver.answer = [&told](std::size_t index) -> Result<HttpResponse> {
    if (index >= told.size()) return ScriptedReceiver::status(200);
    HttpResponse response = ScriptedReceiver::status(429);
    response.retry_after = seconds{told[index]};
    return response;
  };
  deliver("a", 1);
  ASSERT_TRUE(run_until_idle("a"));
  std::vector<Duration> waits;
  for (std::size_t i = 1; i < receiver.arrivals.size(); ++i) {
    waits.push_back(receiver.arrivals[i].at - receiver.arrivals[i - 1].at);
  }
  EXPECT_EQ(waits, (std::vector<Duration>{seconds{100}, seconds{200}, seconds{512}}));
}

TEST_F(Controller, a_failure_says_why_and_counts) {
  put_service("a");
  receiver.answer = [](std::size_t) -> Result<HttpResponse> {
    HttpResponse response = ScriptedReceiver::status(301);
    response.body = "moved\n";
    return response;
  };
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 2; }));
  const DeliveryState state = stored_state("a");
  EXPECT_EQ(state.status, DeliveryStatus::down);
  EXPECT_EQ(state.last_error,
            "receiver answered HTTP 301, and redirects are not followed; register the final URL:"
            " moved ");
  EXPECT_EQ(failed.Value(), 2);
  EXPECT_EQ(delivered.Value(), 0);
}

TEST_F(Controller, a_secret_that_a_receiver_repeats_is_not_kept) {
  put_service("a");
  const std::string secret = registry->find("a")->receiver->secrets().front();
  ASSERT_GE(secret.size(), secret_bytes_min);
  receiver.answer = [secret](std::size_t) -> Result<HttpResponse> {
    HttpResponse response = ScriptedReceiver::status(500);
    response.body = "token " + secret + " is not known";
    return response;
  };
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  EXPECT_EQ(stored_state("a").last_error,
            "receiver answered HTTP 500: token [redacted] is not known");
  const auto answer = run(controller->ping(registry->find("a")));
  EXPECT_EQ(answer.cause, "receiver answered HTTP 500: token [redacted] is not known");
}

Result<HttpResponse> connection_lost() {
  return fail(Code::connection_lost, "closed the connection without an answer");
}

TEST_F(Controller, what_was_lost_with_a_kept_connection_goes_again_at_once_on_a_fresh_one) {
  const auto service = put_service("a");
  receiver.answer = [](std::size_t index) -> Result<HttpResponse> {
    return index % 2 == 0 ? connection_lost() : ScriptedReceiver::status(200);
  };
  deliver("a", 150);
  const MonoTime began = runtime.now();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(runtime.now(), began);
  ASSERT_EQ(receiver.arrivals.size(), 4U);
  for (std::size_t i = 0; i < 4; i += 2) {
    EXPECT_EQ(receiver.arrivals[i + 1].url, receiver.arrivals[i].url);
    EXPECT_EQ(receiver.arrivals[i + 1].body, receiver.arrivals[i].body);
    EXPECT_FALSE(receiver.arrivals[i].fresh_connection);
    EXPECT_TRUE(receiver.arrivals[i + 1].fresh_connection);
  }
  EXPECT_EQ(service->delivery.status, DeliveryStatus::up);
  EXPECT_EQ(service->delivery.attempts, 0);
  EXPECT_EQ(failed.Value(), 2) << "each is an attempt of its own";
  EXPECT_EQ(delivered.Value(), 2);
}

TEST_F(Controller, what_fails_on_the_fresh_connection_too_is_one_failure_of_the_receiver) {
  put_service("a");
  receiver.answer = [](std::size_t index) -> Result<HttpResponse> {
    return index == 0 ? connection_lost() : fail(Code::connection_failed, "refused");
  };
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  EXPECT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(stored_state("a").status, DeliveryStatus::down);
  EXPECT_EQ(stored_state("a").last_error, "refused");
}

TEST_F(Controller, what_was_lost_with_its_connection_waits_when_the_process_stops) {
  put_service("a");
  receiver.answer = [](std::size_t) { return connection_lost(); };
  receiver.on_arrival = [this](const auto&) { controller->request_stop(); };
  deliver("a", 1);
  run(controller->gate().drained());
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  EXPECT_EQ(stored_state("a").attempts, 0);
  receiver.answer = [](std::size_t) { return ScriptedReceiver::status(200); };
  receiver.on_arrival = [](const auto&) {};
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(receiver.arrivals[1].url, receiver.arrivals[0].url);
}

TEST_F(Controller, what_did_not_leave_for_want_of_a_session_says_nothing_of_the_receiver) {
  put_service("a");
  receiver.answer = [](std::size_t index) -> Result<HttpResponse> {
    if (index == 0) return fail(Code::session_ended, "not sent");
    return ScriptedReceiver::status(200);
  };
  deliver("a", 1);
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(receiver.arrivals[1].url, receiver.arrivals[0].url);
  EXPECT_EQ(stored_state("a").attempts, 0);
  EXPECT_EQ(failed.Value(), 0);
}

TEST_F(Controller, a_retry_on_request_does_not_wait) {
  const auto service = put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  const MonoTime before = runtime.now();
  controller->retry_now(service);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(runtime.now(), before);
  EXPECT_EQ(service->delivery.status, DeliveryStatus::up);
}

TEST_F(Controller, a_service_without_a_url_is_sent_nothing) {
  PlainDocument document = document_of("a");
  document.url.reset();
  ASSERT_TRUE(put(std::move(document)));
  deliver("a", 1);
  runtime.run_for(seconds{10});
  EXPECT_TRUE(receiver.arrivals.empty());
  EXPECT_EQ(registry->find("a")->behind(), 1);
}

TEST_F(Controller, a_service_that_is_deleted_while_it_is_sent_to_gets_nothing_more) {
  put_service("a");
  receiver.latency = seconds{1};
  deliver("a", 300);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  ASSERT_TRUE(run(registry->remove("a")));
  runtime.run_for(seconds{10});
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  EXPECT_TRUE(read_cursors(*reader).value().empty());
  fold_all();
  EXPECT_TRUE(read_inbox_ends(*reader).value().empty());
}

TEST_F(Controller, what_was_under_way_when_a_service_was_paused_counts_and_nothing_more_goes) {
  put_service("a");
  receiver.latency = seconds{1};
  deliver("a", 150);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  ASSERT_TRUE(run(registry->pause("a")));
  runtime.run_for(seconds{10});
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{100});
  EXPECT_EQ(stored_state("a").status, DeliveryStatus::paused);
  ASSERT_TRUE(run(registry->resume("a")));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(receiver.arrivals.size(), 2U);
}

TEST_F(Controller, a_pause_that_saves_an_acknowledgement_drops_what_it_acknowledges) {
  put_service("a");
  receiver.latency = seconds{1};
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  writer->fail_commits = true;
  ASSERT_TRUE(run_until_idle("a"));
  writer->fail_commits = false;
  fold_all();  // which does not know of the acknowledgement
  EXPECT_EQ(read_inbox_ends(*reader).value().size(), 1U);
  ASSERT_TRUE(run(registry->pause("a")));
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{1});
  EXPECT_TRUE(read_inbox_ends(*reader).value().empty());
}

TEST_F(Controller, what_fails_while_its_pause_is_refused_is_tried_again) {
  put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  std::optional<Result<void>> paused;
  const auto keep = [&paused](const std::exception_ptr&, Result<void> result) {
    paused = std::move(result);
  };
  // The next two commits are to save the failure.
  writer->fail_commits = true;
  writer->before_commit = [this, keep] {
    writer->before_commit = [this, keep] {
      boost::asio::co_spawn(runtime.executor(), registry->pause("a"), keep);
    };
  };
  ASSERT_TRUE(runtime.run_until([&paused] { return paused.has_value(); }));
  EXPECT_FALSE(*paused);
  writer->fail_commits = false;
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::up);
}

TEST_F(Controller, what_loses_its_url_or_is_paused_while_it_is_frozen_is_not_sent_until_it_may) {
  const auto service = put_service("a");
  const auto with_url = service->receiver;
  PlainDocument without = document_of("a");
  without.url.reset();
  before_commit(2, [&] { service->receiver = receiver_of(without); });
  deliver("a", 1);  // the fact and the decision on it are a commit each; the next one freezes
  runtime.run_for(seconds{10});
  EXPECT_EQ(stored_cursor("a").frozen, (std::vector{StreamId{1}}));
  EXPECT_TRUE(receiver.arrivals.empty());

  service->receiver = with_url;
  service->delivery.status = DeliveryStatus::paused;
  service->delivery.paused_by.add(PauseCause::by_operator);
  controller->wake(service);
  runtime.run_for(seconds{10});
  EXPECT_TRUE(receiver.arrivals.empty());
  ASSERT_TRUE(run(registry->resume("a")));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(receiver.arrivals.size(), 1U);
}

TEST_F(Controller, after_a_stop_was_asked_for_no_transaction_begins) {
  put_service("a");
  receiver.latency = seconds{1};
  deliver("a", 150);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  controller->request_stop();
  run(controller->gate().drained());
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{100});
}

TEST_F(Controller, one_service_that_hangs_does_not_hold_up_another) {
  put_service("a");
  put_service("b");
  receiver.latency = std::chrono::minutes{30};
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  receiver.latency = {};
  deliver("b", 1);
  ASSERT_TRUE(run_until_idle("b"));
  EXPECT_TRUE(registry->find("a")->delivering);
}

TEST_F(Controller, a_receiver_that_finds_a_transaction_too_large_gets_smaller_ones) {
  put_service("a");
  std::vector<std::size_t> sizes;
  receiver.answer = [&](std::size_t index) {
    const std::string& body = receiver.arrivals[index].body;
    const auto facts = static_cast<std::size_t>(std::ranges::count(body, '{'));
    sizes.push_back(facts);
    return ScriptedReceiver::status(facts > 30 ? 413 : 200);
  };
  deliver("a", 150);
  ASSERT_TRUE(run_until_idle("a"));
  // They grow one later than they might: the next one is read while one is in flight.
  EXPECT_EQ(sizes, (std::vector<std::size_t>{100, 50, 25, 25, 28, 31, 15, 15, 16, 18, 8}));
  EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::up);
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{150});
  std::set<std::string> ids;
  for (const auto& arrival : receiver.arrivals) ids.insert(arrival.url);
  EXPECT_EQ(ids.size(), receiver.arrivals.size());
}

TEST_F(Controller, a_single_fact_that_is_too_large_is_tried_again_like_any_failure) {
  put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index < 2 ? 413 : 200);
  };
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  EXPECT_EQ(stored_state("a").status, DeliveryStatus::down);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(receiver.arrivals.size(), 3U);
  const auto sent = urls();
  EXPECT_EQ(std::set<std::string>(sent.begin(), sent.end()).size(), 1U);
}

TEST_F(Controller, a_receiver_that_wants_nothing_more_is_paused_until_it_is_resumed) {
  put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 410 : 200);
  };
  deliver("a", 2);
  ASSERT_TRUE(
      runtime.run_until([this] { return stored_state("a").status == DeliveryStatus::paused; }));
  EXPECT_NE(stored_state("a").last_error.find("HTTP 410"), std::string::npos);
  restart();
  runtime.run_for(std::chrono::hours{24});
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  ASSERT_TRUE(run(registry->resume("a")));
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(receiver.arrivals[1].url, receiver.arrivals[0].url);
  EXPECT_EQ(receiver.arrivals[1].body, receiver.arrivals[0].body);
}

TEST_F(Controller, a_new_receiver_is_untested_until_its_first_answer) {
  put_service("a");
  EXPECT_EQ(stored_state("a").status, DeliveryStatus::untested);
  restart();
  deliver("a", 1);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::up);
}

TEST_F(Controller, a_ping_waits_no_longer_than_a_transaction_and_never_long) {
  const auto longest = TransactionController::ping_timeout_max;
  for (const Duration timeout : {Duration(seconds{3}), longest, longest + seconds{1}}) {
    settings.request_timeout = timeout;
    restart();
    const auto service = put_service("a");
    run(controller->ping(service));
    EXPECT_EQ(receiver.arrivals.back().timeout, std::min(timeout, longest));
    ASSERT_TRUE(run(registry->remove("a")));
  }
}

TEST_F(Controller, a_ping_makes_an_untested_receiver_up_and_tries_one_that_is_down) {
  const auto service = put_service("a");
  const auto good = run(controller->ping(service));
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.cause, "");
  EXPECT_EQ(stored_state("a").status, DeliveryStatus::up);

  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index < 3 ? 500 : 200);
  };
  deliver("a", 1);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  const auto bad = run(controller->ping(service));
  EXPECT_EQ(bad.status, 500);
  EXPECT_NE(bad.cause, "");
  EXPECT_EQ(service->delivery.status, DeliveryStatus::down);
  const MonoTime before = runtime.now();
  EXPECT_EQ(run(controller->ping(service)).cause, "");
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(runtime.now(), before);
}

}  // namespace
}  // namespace postrider
