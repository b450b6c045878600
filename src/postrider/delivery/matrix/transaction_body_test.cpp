#include "postrider/delivery/matrix/transaction_body.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(MatrixTransactionBody, holds_the_events_as_they_came_with_one_comma_between_two) {
  MatrixTransactionBody body;
  body.add(R"({"a": 1.0})");
  body.add("{}");
  EXPECT_EQ(body.payload_bytes(), 12U);
  EXPECT_EQ(std::move(body).finish(), R"({"events":[{"a": 1.0},{}]})");
}

TEST(MatrixTransactionRequest, names_the_transaction_in_the_path_and_carries_the_token_once) {
  const auto request = matrix_transaction_request("http://x.test/bridge", "secret", "0a-7");
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.url, "http://x.test/bridge/_matrix/app/v1/transactions/0a-7");
  using Header = std::pair<std::string, std::string>;
  EXPECT_EQ(request.headers, (std::vector<Header>{{"Authorization", "Bearer secret"},
                                                  {"Content-Type", "application/json"},
                                                  {"Accept", "application/json"}}));
}

}  // namespace
}  // namespace postrider
