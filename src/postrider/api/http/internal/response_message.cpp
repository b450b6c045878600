#include "postrider/api/http/internal/response_message.hpp"

#include <algorithm>
#include <utility>

namespace postrider {
namespace {

namespace http = boost::beast::http;

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace

ResponseMessage::ResponseMessage(HttpServerResponse& response, BodyForm form, AfterAnswer after) {
  message_.result(static_cast<unsigned>(response.status));
  if (!response.content_type.empty()) set_field("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) set_field(name, value);
  if (form == BodyForm::chunked) message_.chunked(true);
  if (form == BodyForm::sized && may_have_body(response.status)) {
    message_.body() = std::move(response.body);
    message_.content_length(message_.body().size());
  }
  if (after == AfterAnswer::close) message_.set(http::field::connection, "close");
  if (after == AfterAnswer::keep_alive) message_.set(http::field::connection, "keep-alive");
}

void ResponseMessage::set_field(std::string_view name, std::string value) {
  std::ranges::replace_if(value, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  message_.insert(name, value);
}

WireBuffers ResponseMessage::head() {
  serializer_.split(true);
  return head_and_body();
}

WireBuffers ResponseMessage::head_and_body() {
  WireBuffers parts;
  boost::system::error_code never;
  serializer_.next(never, [&parts](auto&, const auto& buffers) {
    parts.assign(boost::asio::buffer_sequence_begin(buffers),
                 boost::asio::buffer_sequence_end(buffers));
  });
  return parts;
}

}  // namespace postrider
