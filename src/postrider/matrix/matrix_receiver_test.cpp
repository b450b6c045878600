#include "postrider/matrix/matrix_receiver.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

MatrixReceiver receiver() {
  Registration registration;
  registration.id = "bridge";
  registration.url = "http://x.test/bridge";
  registration.as_token = "as";
  registration.hs_token = "secret";
  return MatrixReceiver(registration);
}

using Headers = std::vector<std::pair<std::string, std::string>>;
const Headers headers = {{"Authorization", "Bearer secret"},
                         {"Content-Type", "application/json"},
                         {"Accept", "application/json"}};

TEST(MatrixReceiver, pushes_events_as_they_came_with_one_comma_between_two) {
  const std::vector<std::string_view> events = {R"({"a": 1.0})", "{}"};
  const HttpRequest request = receiver().compose({.id = "0a-7", .payloads = events});
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.url, "http://x.test/bridge/_matrix/app/v1/transactions/0a-7");
  EXPECT_EQ(request.headers, headers);
  EXPECT_EQ(request.body->text(), R"({"events":[{"a": 1.0},{}]})");
}

TEST(MatrixReceiver, is_pinged_with_its_token) {
  const HttpRequest request = receiver().compose_ping("p-1", wall_time(0));
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://x.test/bridge/_matrix/app/v1/ping");
  EXPECT_EQ(request.headers, headers);
  EXPECT_EQ(request.body->text(), R"({"transaction_id":"p-1"})");
}

TEST(MatrixReceiver, has_its_tokens_for_secrets) {
  EXPECT_EQ(receiver().secrets(), (std::vector<std::string>{"as", "secret"}));
}

HttpResponse answer(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

TEST(MatrixReceiver, takes_2xx_for_delivered_and_all_else_for_a_failure) {
  for (int status = 200; status < 600; ++status) {
    const Verdict verdict = receiver().judge(answer(status));
    EXPECT_EQ(verdict, status < 300 ? Verdict::delivered : Verdict::retry) << status;
  }
}

TEST(MatrixKind, draws_the_tokens_that_a_document_leaves_out) {
  const MatrixKind kind{RegistrationLimits{}};
  boost::json::object document = {{"as_token", "mine"}};
  const auto drawn = kind.draw_secrets(document, [] { return std::string("\x01\xff", 2); });
  EXPECT_EQ(drawn, (boost::json::object{{"hs_token", "postrider_hs_01ff"}}));
  EXPECT_EQ(document.at("as_token"), "mine");
  EXPECT_EQ(document.at("hs_token"), "postrider_hs_01ff");
}

}  // namespace
}  // namespace postrider
