#include <algorithm>

#include "postrider/drivers/curl/curl_client_test.hpp"

namespace postrider {
namespace {

class CurlConnectionsTest : public CurlClientTest {};

TEST_F(CurlConnectionsTest, sends_the_second_request_on_the_connection_of_the_first) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  for (int i = 0; i < 2; ++i) {
    const Result<HttpResponse> answer = exchange(request_to(receiver.origin() + "/a"));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "{}");
    EXPECT_FALSE(answer->body_cut);
  }
  const auto received = receiver.received();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].connection, received[1].connection);
}

TEST_F(CurlConnectionsTest, has_hundreds_of_requests_in_flight_at_once) {
  constexpr std::size_t count = 200;
  RawReceiver receiver([](RawReceiver& self) {
    EXPECT_TRUE(self.wait_for_requests(count));
    return RawAnswer{ok_answer};
  });
  start(loopback_allowed());
  for (std::size_t i = 0; i < count; ++i) begin(request_to(receiver.origin()));
  run_to_the_end();
  ASSERT_EQ(outcomes_.size(), count);
  for (const Result<HttpResponse>& outcome : outcomes_) {
    ASSERT_TRUE(outcome) << outcome.error().detail;
    EXPECT_EQ(outcome->status, 200);
  }
}

TEST_F(CurlConnectionsTest, a_hanging_receiver_holds_up_no_other) {
  RawReceiver hanging(RawAnswer{});
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  begin(request_to(hanging.origin()));
  begin(request_to(receiver.origin()));
  while (outcomes_.empty()) engine_.run_one();
  ASSERT_TRUE(outcomes_.front());
  EXPECT_EQ(outcomes_.front()->status, 200);
}

TEST_F(CurlConnectionsTest, more_requests_than_connections_wait_and_time_out_only_in_their_turn) {
  RawReceiver hanging(RawAnswer{});
  RawReceiver receiver(RawAnswer{ok_answer});
  CurlHttpClientSettings settings = loopback_allowed();
  settings.connections_max = 1;
  start(std::move(settings));
  begin(request_to(hanging.origin(), std::chrono::milliseconds{300}));
  engine_.poll();
  ASSERT_TRUE(hanging.wait_for_requests(1));
  for (int i = 0; i < 3; ++i) begin(request_to(receiver.origin(), std::chrono::milliseconds{200}));
  run_to_the_end();
  ASSERT_EQ(outcomes_.size(), 4U);
  EXPECT_EQ(outcomes_[0].error().code, Code::deadline);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_TRUE(outcomes_[i]) << outcomes_[i].error().detail;
  }
}

TEST_F(CurlConnectionsTest, who_may_not_wait_for_a_connection_is_told_that_there_is_none) {
  RawReceiver hanging(RawAnswer{});
  RawReceiver receiver(RawAnswer{ok_answer});
  CurlHttpClientSettings settings = loopback_allowed();
  settings.connections_max = 2;
  settings.connections_per_host_max = 1;
  start(std::move(settings));
  begin(request_to(hanging.origin()));
  engine_.poll();
  ASSERT_TRUE(hanging.wait_for_requests(1));
  HttpRequest same_host = request_to(hanging.origin());
  same_host.may_wait = false;
  HttpRequest other_host = request_to(receiver.origin());
  other_host.may_wait = false;
  begin(std::move(other_host));
  while (outcomes_.empty()) engine_.run_one();
  EXPECT_TRUE(outcomes_.back());
  begin(std::move(same_host));
  while (outcomes_.size() < 2) engine_.run_one();
  ASSERT_FALSE(outcomes_.back());
  EXPECT_EQ(outcomes_.back().error().code, Code::overloaded);
  EXPECT_EQ(outcomes_.back().error().detail,
            "not sent: all connections to receivers are in use, 2 at most and 1 to one host; try"
            " again, or raise delivery.connections_max or delivery.connections_per_host_max");
  client_->stop();
  run_to_the_end();
}

TEST_F(CurlConnectionsTest, a_host_that_hangs_leaves_connections_to_others) {
  RawReceiver hanging(RawAnswer{});
  RawReceiver receiver(RawAnswer{ok_answer});
  CurlHttpClientSettings settings = loopback_allowed();
  settings.connections_max = 4;
  settings.connections_per_host_max = 3;
  start(std::move(settings));
  for (int i = 0; i < 10; ++i) begin(request_to(hanging.origin()));
  begin(request_to(receiver.origin()));
  while (outcomes_.empty()) engine_.run_one();
  EXPECT_TRUE(outcomes_.front());
  ASSERT_TRUE(hanging.wait_for_requests(3));
  client_->stop();
  run_to_the_end();
  ASSERT_EQ(outcomes_.size(), 11U);
  EXPECT_EQ(outcomes_.back().error().code, Code::stopping) << "also those that waited";
  EXPECT_EQ(hanging.received().size(), 3U);
}

TEST_F(CurlConnectionsTest, idle_connections_give_way_to_new_ones) {
  RawReceiver first(RawAnswer{ok_answer});
  RawReceiver second(RawAnswer{ok_answer});
  CurlHttpClientSettings settings = loopback_allowed();
  settings.connections_max = 1;
  start(std::move(settings));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(exchange(request_to(first.origin())));
    EXPECT_TRUE(exchange(request_to(second.origin())));
  }
}

TEST_F(CurlConnectionsTest, opens_a_new_connection_when_the_receiver_closed_the_idle_one) {
  RawReceiver receiver(RawAnswer{ok_answer, RawAnswer::Then::close});
  start(loopback_allowed());
  for (int i = 0; i < 3; ++i) {
    const Result<HttpResponse> answer = exchange(request_to(receiver.origin()));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
  }
}

/// Answers the first request of a connection, keeps it alive, and closes it instead of answering
/// the next one.
RawAnswer answer_once_a_connection(RawReceiver& self) {
  const auto received = self.received();
  const std::size_t connection = received.back().connection;
  const auto requests =
      std::ranges::count(received, connection, &RawReceiver::Received::connection);
  return requests == 1 ? RawAnswer{ok_answer} : RawAnswer{"", RawAnswer::Then::close};
}

std::shared_ptr<const HttpBody> body_of_several_pieces() {
  const auto item = std::make_shared<const std::string>(300'000, 'i');
  const std::vector<std::string_view> items = {*item, *item};
  return HttpBody::joined("[", items, "]", item);
}

TEST_F(CurlConnectionsTest, a_request_on_a_connection_that_ends_then_is_not_sent_again_by_itself) {
  RawReceiver receiver(answer_once_a_connection);
  start(loopback_allowed());
  for (std::size_t round = 1; round <= 3; ++round) {
    HttpRequest first = request_to(receiver.origin());
    first.fresh_connection = true;
    EXPECT_TRUE(exchange(std::move(first)));
    EXPECT_EQ(receiver.received().size(), 2 * round - 1);
    HttpRequest lost = request_to(receiver.origin());
    if (round > 1) lost.body = body_of_several_pieces();
    expect_error(std::move(lost), Code::connection_lost,
                 receiver.origin() + " closed the connection without an answer");
    EXPECT_EQ(receiver.received().size(), 2 * round);
  }
}

TEST_F(CurlConnectionsTest, a_request_that_is_lost_before_another_idle_connection_stays_lost) {
  RawReceiver receiver([](RawReceiver& self) {
    const bool both_came = self.wait_for_requests(2);
    EXPECT_TRUE(both_came);
    const bool is_first = self.received().size() == 2;
    return is_first ? RawAnswer{ok_answer} : RawAnswer{"", RawAnswer::Then::close};
  });
  start(loopback_allowed());
  begin(request_to(receiver.origin()));
  begin(request_to(receiver.origin()));
  run_to_the_end();
  ASSERT_EQ(outcomes_.size(), 2U);
  EXPECT_TRUE(outcomes_[0] && outcomes_[1]);
  EXPECT_EQ(exchange(request_to(receiver.origin())).error().code, Code::connection_lost);
  EXPECT_EQ(receiver.received().size(), 3U);
}

TEST_F(CurlConnectionsTest, a_fresh_connection_is_none_that_was_kept_alive) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  ASSERT_TRUE(exchange(request_to(receiver.origin())));
  HttpRequest request = request_to(receiver.origin());
  request.fresh_connection = true;
  ASSERT_TRUE(exchange(std::move(request)));
  const auto received = receiver.received();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_NE(received[0].connection, received[1].connection);
}

TEST_F(CurlConnectionsTest, an_answer_that_ends_early_on_a_kept_connection_is_the_receivers_fault) {
  RawReceiver receiver([](RawReceiver& self) {
    const bool is_first = self.received().size() == 1;
    return is_first ? RawAnswer{ok_answer}
                    : RawAnswer{"HTTP/1.1 200 OK\r\nServ", RawAnswer::Then::close};
  });
  start(loopback_allowed());
  ASSERT_TRUE(exchange(request_to(receiver.origin())));
  const Result<HttpResponse> answer = exchange(request_to(receiver.origin()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::connection_failed);
  EXPECT_EQ(receiver.received().size(), 2U);
}

TEST_F(CurlConnectionsTest, nothing_is_sent_under_a_permit_that_holds_no_more) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  const auto permit = std::make_shared<SendPermit>(MonoTime::max());
  HttpRequest request = request_to(receiver.origin());
  request.permit = permit;
  ASSERT_TRUE(exchange(request)) << "on a new connection";
  permit->withdraw();
  for (const bool fresh : {false, true}) {
    request.fresh_connection = fresh;
    expect_error(request, Code::session_ended,
                 "not sent: the session of this process had ended before the connection was there");
  }
  EXPECT_EQ(receiver.received().size(), 1U);
  permit->extend(MonoTime::max());
  EXPECT_TRUE(exchange(request));
}

}  // namespace
}  // namespace postrider
