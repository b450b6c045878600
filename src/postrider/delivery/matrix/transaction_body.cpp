#include "postrider/delivery/matrix/transaction_body.hpp"

#include <utility>

#include <fmt/format.h>

namespace postrider {

void MatrixTransactionBody::add(std::string_view payload) {
  if (payload_bytes_ > 0) text_ += ',';
  text_ += payload;
  payload_bytes_ += payload.size();
}

std::string MatrixTransactionBody::finish() && {
  text_ += "]}";
  return std::move(text_);
}

HttpRequest matrix_transaction_request(std::string_view url, std::string_view hs_token,
                                       std::string_view transaction_id) {
  HttpRequest request;
  request.method = "PUT";
  request.url = fmt::format("{}/_matrix/app/v1/transactions/{}", url, transaction_id);
  request.headers = {{"Authorization", fmt::format("Bearer {}", hs_token)},
                     {"Content-Type", "application/json"},
                     {"Accept", "application/json"}};
  return request;
}

}  // namespace postrider
