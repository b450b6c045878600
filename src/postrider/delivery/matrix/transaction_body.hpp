#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "postrider/runtime/http_client.hpp"

namespace postrider {

/// The body of `PUT /_matrix/app/v1/transactions/{txnId}`: {"events":[…]}.
class MatrixTransactionBody {
 public:
  void add(std::string_view payload);
  [[nodiscard]] std::size_t payload_bytes() const { return payload_bytes_; }
  /// Once.
  std::string finish() &&;

 private:
  std::string text_ = R"({"events":[)";
  std::size_t payload_bytes_ = 0;
};

/// Source: Matrix Application Service API, "Pushing events", and its authorization header.
HttpRequest matrix_transaction_request(std::string_view url, std::string_view hs_token,
                                       std::string_view transaction_id);

}  // namespace postrider
