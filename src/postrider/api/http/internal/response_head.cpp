#include "postrider/api/http/internal/response_head.hpp"

#include <algorithm>
#include <array>
#include <memory_resource>
#include <tuple>
#include <utility>

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>

namespace postrider {
namespace {

namespace http = boost::beast::http;

using Message = http::response<http::empty_body, HttpFields>;

constexpr std::size_t usual_head_bytes = 256;

/// A line break in a value would begin another header.
std::string one_line(std::string value) {
  std::ranges::replace_if(value, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  return value;
}

void set_fields(Message& message, const HttpServerResponse& response, BodyForm form,
                AfterAnswer after) {
  if (!response.content_type.empty()) {
    message.insert(http::field::content_type, one_line(response.content_type));
  }
  for (const auto& [name, value] : response.headers) message.insert(name, one_line(value));
  if (form == BodyForm::chunked) message.chunked(true);
  if (form == BodyForm::sized && may_have_body(response.status)) {
    message.content_length(response.body.size());
  }
  if (after == AfterAnswer::close) message.set(http::field::connection, "close");
  if (after == AfterAnswer::keep_alive) message.set(http::field::connection, "keep-alive");
}

std::string serialized(Message& message) {
  std::string head;
  head.reserve(usual_head_bytes);
  http::response_serializer<http::empty_body, HttpFields> serializer(message);
  boost::system::error_code never;
  serializer.next(never, [&head](auto&, const auto& buffers) {
    for (const boost::asio::const_buffer part : boost::beast::buffers_range_ref(buffers)) {
      head.append(static_cast<const char*>(part.data()), part.size());
    }
  });
  return head;
}

}  // namespace

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string response_head(const HttpServerResponse& response, BodyForm form, AfterAnswer after) {
  // A field has its memory from here, and all of them are gone with it.
  std::array<std::byte, 1024> space;
  std::pmr::monotonic_buffer_resource memory(space.data(), space.size());
  Message message(std::piecewise_construct, std::make_tuple(), std::make_tuple(&memory));
  message.result(static_cast<unsigned>(response.status));
  message.version(11);
  set_fields(message, response, form, after);
  return serialized(message);
}

}  // namespace postrider
