#include "postrider/drivers/curl/curl_http_client.hpp"

#include <string_view>

#include "postrider/drivers/curl/curl_client_test.hpp"

namespace postrider {
namespace {

class CurlHttpClientTest : public CurlClientTest {};

TEST_F(CurlHttpClientTest, sends_method_path_headers_and_body_byte_for_byte) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  HttpRequest request = request_to(receiver.origin() + "/a/../b%2Fc?d=%20&e");
  request.headers = {
      {"Authorization", "Bearer s3cret"}, {"Content-Type", "application/json"}, {"X-Empty", ""}};
  std::string body(1'500'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i % 251);
  request.body = std::make_shared<const HttpBody>(body);
  ASSERT_TRUE(exchange(std::move(request)));
  const std::string host = receiver.origin().substr(std::string_view{"http://"}.size());
  EXPECT_EQ(receiver.received().at(0).bytes,
            "PUT /a/../b%2Fc?d=%20&e HTTP/1.1\r\nHost: " + host +
                "\r\nUser-Agent: Postrider/test\r\nAccept: */*\r\n"
                "Authorization: Bearer s3cret\r\nContent-Type: application/json\r\nX-Empty:\r\n"
                "Content-Length: 1500000\r\n\r\n" +
                body);
}

TEST_F(CurlHttpClientTest, sends_a_body_of_several_pieces_and_then_others_on_the_same_handle) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  const auto item = std::make_shared<const std::string>(700'000, 'i');
  const std::vector<std::string_view> items = {*item, "", *item};
  for (const char* method : {"PUT", "POST"}) {
    HttpRequest request = request_to(receiver.origin() + "/");
    request.method = method;
    request.body = HttpBody::joined("{[", items, "]}", item);
    ASSERT_GT(request.body->pieces().size(), 1U);
    const std::string text = request.body->text();
    ASSERT_TRUE(exchange(std::move(request)));
    const std::string bytes = receiver.received().back().bytes;
    EXPECT_TRUE(bytes.starts_with(std::string{method} + " / HTTP/1.1\r\n"));
    EXPECT_TRUE(bytes.contains("Content-Length: 1400006\r\n"));
    EXPECT_FALSE(bytes.contains("Transfer-Encoding")) << "nor chunks";
    EXPECT_FALSE(bytes.contains("Expect")) << bytes.substr(0, 400);
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n" + text));
    HttpRequest small = request_to(receiver.origin() + "/");
    small.body = std::make_shared<const HttpBody>("small");
    ASSERT_TRUE(exchange(std::move(small)));
    EXPECT_TRUE(receiver.received().back().bytes.ends_with("Content-Length: 5\r\n\r\nsmall"));
    HttpRequest none = request_to(receiver.origin() + "/");
    none.method = "GET";
    none.body = nullptr;
    ASSERT_TRUE(exchange(std::move(none)));
    EXPECT_TRUE(receiver.received().back().bytes.starts_with("GET / HTTP/1.1\r\n"));
  }
  EXPECT_EQ(item.use_count(), 1) << "let go with the request";
}

TEST_F(CurlHttpClientTest, one_handle_serves_requests_with_and_without_a_body) {
  RawReceiver receiver([](RawReceiver& self) {
    const bool head_only = self.received().back().bytes.starts_with("HEAD");
    return RawAnswer{head_only ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" : ok_answer};
  });
  start(loopback_allowed());
  for (const char* method : {"PUT", "GET", "HEAD", "DELETE", "POST"}) {
    HttpRequest request = request_to(receiver.origin() + "/");
    request.method = method;
    request.body = nullptr;
    const Result<HttpResponse> answer = exchange(std::move(request));
    ASSERT_TRUE(answer) << method << ": " << answer.error().detail;
    EXPECT_EQ(answer->body, std::string_view{method} == "HEAD" ? "" : "{}");
    const std::string bytes = receiver.received().back().bytes;
    EXPECT_TRUE(bytes.starts_with(std::string{method} + " / HTTP/1.1\r\n")) << bytes;
    EXPECT_EQ(bytes.contains("Content-Length: 0\r\n"), std::string_view{method}.starts_with("P"));
    EXPECT_FALSE(bytes.contains("Content-Type")) << bytes;
  }
}

TEST_F(CurlHttpClientTest, gives_any_status_as_a_value_and_follows_no_redirect) {
  RawReceiver receiver([](RawReceiver& self) {
    if (self.received().size() == 1) {
      return RawAnswer{"HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"};
    }
    return RawAnswer{"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"};
  });
  start(loopback_allowed());
  EXPECT_EQ(exchange(request_to(receiver.origin()))->status, 301);
  EXPECT_EQ(receiver.received().size(), 1U);
  const Result<HttpResponse> answer = exchange(request_to(receiver.origin()));
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "none");
}

TEST_F(CurlHttpClientTest, waits_for_the_final_status_behind_an_interim_one) {
  RawReceiver receiver(RawAnswer{"HTTP/1.1 102 Processing\r\n\r\n" + ok_answer});
  start(loopback_allowed());
  EXPECT_EQ(exchange(request_to(receiver.origin()))->status, 200);
}

TEST_F(CurlHttpClientTest, reads_retry_after_in_seconds_or_as_a_date_up_to_a_day) {
  const std::vector<std::pair<std::string, std::optional<Duration>>> cases = {
      {"Retry-After: 7\r\n", std::chrono::seconds{7}},
      {"retry-after: 0\r\n", std::nullopt},
      {"Retry-After: 86401\r\n", std::chrono::hours{24}},
      {"Retry-After: 4294967296\r\n", std::chrono::hours{24}},
      {"Retry-After: 20260101\r\n", std::chrono::hours{24}},
      {"Retry-After: -1\r\n", std::nullopt},
      {"Retry-After: soon\r\n", std::nullopt},
      {"Retry-After: Wed, 21 Oct 2065 07:28:00 GMT\r\n", std::chrono::hours{24}},
      {"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", std::nullopt},
      {"", std::nullopt},
  };
  RawReceiver receiver([&cases](RawReceiver& self) {
    const std::string& header = cases.at(self.received().size() - 1).first;
    return RawAnswer{"HTTP/1.1 429 Slow down\r\n" + header + "Content-Length: 0\r\n\r\n"};
  });
  start(loopback_allowed());
  for (const auto& [header, expected] : cases) {
    const Result<HttpResponse> answer = exchange(request_to(receiver.origin()));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->retry_after, expected) << header;
  }
}

TEST_F(CurlHttpClientTest, an_answer_that_ends_early_is_a_failed_connection) {
  start(loopback_allowed());
  for (const char* half : {
           "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
           "HTTP/1.1 200 OK\r\nContent-Le",
           "HTTP/1.1 200 OK\r\nServer: x\r\n",
       }) {
    RawReceiver receiver(RawAnswer{half, RawAnswer::Then::close});
    expect_error(request_to(receiver.origin()), Code::connection_failed,
                 "the answer of " + receiver.origin() + " ended early");
  }
}

TEST_F(CurlHttpClientTest, no_answer_and_one_that_is_not_http_are_failed_connections) {
  start(loopback_allowed());
  for (const char* nothing : {"", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    RawReceiver silent(RawAnswer{nothing, RawAnswer::Then::close});
    expect_error(request_to(silent.origin()), Code::connection_failed,
                 silent.origin() + " closed the connection without an answer");
  }
  RawReceiver foreign(RawAnswer{"220 mail.example.org ESMTP\r\n", RawAnswer::Then::close});
  expect_error(request_to(foreign.origin()), Code::connection_failed,
               foreign.origin() + " did not answer in HTTP");
}

TEST_F(CurlHttpClientTest, keeps_the_first_bytes_of_an_endless_body_and_hangs_up) {
  const std::string forever = std::string{"HTTP/1.1 503 No\r\n\r\n"} + std::string(5000, 'x');
  RawReceiver receiver(RawAnswer{forever, RawAnswer::Then::repeat});
  CurlHttpClientSettings settings = loopback_allowed();
  settings.response_bytes_max = 4000;
  start(std::move(settings));
  const Result<HttpResponse> answer = exchange(request_to(receiver.origin()));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 503);
  EXPECT_TRUE(answer->body_cut);
  EXPECT_EQ(answer->body, std::string(4000, 'x'));
  EXPECT_TRUE(receiver.wait_for_broken_answer());
}

const std::string chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string chunked_body = "\r\n{}\r\n0\r\n\r\n";

TEST_F(CurlHttpClientTest, framing_without_an_end_is_cut_as_a_body_is) {
  const std::string many(5000, 'x');
  const RawAnswer extension{chunked_head + "2;", RawAnswer::Then::repeat, many};
  const RawAnswer trailers{chunked_head + "0\r\n", RawAnswer::Then::repeat,
                           "A: " + many.substr(0, 1000) + "\r\n"};
  start(loopback_allowed());
  for (const RawAnswer& answer : {extension, trailers}) {
    RawReceiver receiver(answer);
    const Result<HttpResponse> outcome = exchange(request_to(receiver.origin()));
    ASSERT_TRUE(outcome) << outcome.error().detail;
    EXPECT_EQ(outcome->status, 200);
    EXPECT_TRUE(outcome->body_cut);
    EXPECT_TRUE(receiver.wait_for_broken_answer());
  }
}

TEST_F(CurlHttpClientTest, a_body_in_pieces_of_one_byte_is_cut_before_one_in_large_pieces) {
  RawReceiver receiver(RawAnswer{chunked_head, RawAnswer::Then::repeat, "1\r\nx\r\n"});
  start(loopback_allowed());
  const Result<HttpResponse> outcome = exchange(request_to(receiver.origin()));
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_TRUE(outcome->body_cut);
  EXPECT_LT(outcome->body.size(), CurlHttpClientSettings{}.response_bytes_max / 4);
}

TEST_F(CurlHttpClientTest, headers_without_an_end_are_a_failed_connection) {
  const std::string line = "A: " + std::string(5000, 'x') + "\r\n";
  const RawAnswer headers{"HTTP/1.1 200 OK\r\n", RawAnswer::Then::repeat, line};
  const RawAnswer interim{"HTTP/1.1 102 Processing\r\n\r\n", RawAnswer::Then::repeat};
  start(loopback_allowed());
  for (const RawAnswer& answer : {headers, interim}) {
    RawReceiver receiver(answer);
    const Result<HttpResponse> outcome = exchange(request_to(receiver.origin()));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::connection_failed);
    EXPECT_TRUE(receiver.wait_for_broken_answer());
  }
}

TEST_F(CurlHttpClientTest, framing_within_its_limit_costs_nothing_of_the_body) {
  const std::string extension(40'000, 'x');
  RawReceiver receiver(RawAnswer{chunked_head + "2;" + extension + chunked_body});
  CurlHttpClientSettings settings = loopback_allowed();
  settings.response_bytes_max = 2;
  start(std::move(settings));
  const Result<HttpResponse> answer = exchange(request_to(receiver.origin()));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "{}");
  EXPECT_FALSE(answer->body_cut);
}

TEST_F(CurlHttpClientTest, a_body_of_exactly_the_limit_is_whole) {
  RawReceiver receiver(RawAnswer{ok_answer});
  CurlHttpClientSettings settings = loopback_allowed();
  settings.response_bytes_max = 2;
  start(std::move(settings));
  const Result<HttpResponse> answer = exchange(request_to(receiver.origin()));
  EXPECT_EQ(answer->body, "{}");
  EXPECT_FALSE(answer->body_cut);
}

TEST_F(CurlHttpClientTest, says_that_a_connection_was_refused) {
  const BoundSocket not_listening;
  start(loopback_allowed());
  const std::string origin = fmt::format("http://127.0.0.1:{}", not_listening.port());
  HttpRequest request = request_to("http://user:s3cret@" + origin.substr(7) + "/path?token=s3cret");
  request.headers = {{"Authorization", "Bearer s3cret"}};
  expect_error(std::move(request), Code::connection_failed, "connection to " + origin + " refused");
}

TEST_F(CurlHttpClientTest, no_answer_in_time_is_a_deadline) {
  RawReceiver receiver(RawAnswer{});
  start(loopback_allowed());
  expect_error(request_to(receiver.origin(), std::chrono::milliseconds{50}), Code::deadline,
               "no complete answer from " + receiver.origin() + " within 50ms");
  RawReceiver slow(RawAnswer{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"});
  expect_error(request_to(slow.origin(), std::chrono::milliseconds{50}), Code::deadline,
               "no complete answer from " + slow.origin() + " within 50ms");
}

TEST_F(CurlHttpClientTest, refuses_loopback_unless_it_is_allowed) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start({});
  expect_error(request_to(receiver.origin()), Code::address_refused,
               "address 127.0.0.1 of " + receiver.origin() +
                   " is not open to outgoing requests; add it to outbound.allow if this receiver "
                   "is yours");
  const std::string hexadecimal = receiver.origin("0x7f.1");
  EXPECT_EQ(exchange(request_to(hexadecimal)).error().code, Code::address_refused);
  EXPECT_EQ(exchange(request_to(receiver.origin("[::1]"))).error().code, Code::address_refused);
  EXPECT_EQ(exchange(request_to(receiver.origin("localhost"))).error().code, Code::address_refused);
  EXPECT_TRUE(receiver.received().empty());
}

TEST_F(CurlHttpClientTest, takes_the_allowed_one_of_the_addresses_of_a_name) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  const Result<HttpResponse> answer = exchange(request_to(receiver.origin("localhost")));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200);
}

TEST_F(CurlHttpClientTest, refuses_what_cannot_be_sent_as_http) {
  start(loopback_allowed());
  expect_error(request_to("ftp://127.0.0.1/x"), Code::connection_failed,
               "ftp://127.0.0.1:21 is not an http or https address");
  const std::string cut("http://127.0.0.1/\0x", 19);
  EXPECT_EQ(exchange(request_to(cut)).error().code, Code::connection_failed);
  HttpRequest split = request_to("http://127.0.0.1:1/");
  split.headers = {{"X-One", "1\r\nX-Two: 2"}};
  expect_error(std::move(split), Code::connection_failed,
               "a header of the request has a line break in it");
}

TEST_F(CurlHttpClientTest, stopping_fails_what_is_in_flight_and_all_that_comes_later) {
  RawReceiver receiver(RawAnswer{});
  start(loopback_allowed());
  for (int i = 0; i < 20; ++i) begin(request_to(receiver.origin()));
  engine_.poll();
  ASSERT_TRUE(receiver.wait_for_requests(20));
  begin(request_to(receiver.origin()));
  engine_.poll();
  client_->stop();
  client_->stop();
  begin(request_to(receiver.origin()));
  run_to_the_end();
  ASSERT_EQ(outcomes_.size(), 22U);
  for (const Result<HttpResponse>& outcome : outcomes_) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::stopping);
  }
}

TEST_F(CurlHttpClientTest, can_be_destroyed_with_requests_in_flight) {
  RawReceiver receiver(RawAnswer{});
  start(loopback_allowed());
  begin(request_to(receiver.origin()));
  engine_.poll();
  ASSERT_TRUE(receiver.wait_for_requests(1));
  client_.reset();
  run_to_the_end();
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_.front().error().code, Code::stopping);
}

}  // namespace
}  // namespace postrider
