#include "postrider/api/http/internal/response_head.hpp"

#include <algorithm>
#include <iterator>

#include <boost/beast/http/status.hpp>

namespace postrider {
namespace {

namespace http = boost::beast::http;

/// A line break in a value would begin another header.
void append_field(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  std::ranges::replace_copy_if(
      value, std::back_inserter(head), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  head += "\r\n";
}

void append_number(std::string& head, std::size_t number) {
  const fmt::format_int digits(number);
  head.append(digits.data(), digits.size());
}

void append_status_line(std::string& head, int status) {
  const std::string_view reason =
      http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  head += "HTTP/1.1 ";
  append_number(head, static_cast<std::size_t>(status));
  head += ' ';
  head += reason;
  head += "\r\n";
}

}  // namespace

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

void append_response_head(const HttpServerResponse& response, BodyForm form, AfterAnswer after,
                          std::string& head) {
  append_status_line(head, response.status);
  if (!response.content_type.empty()) append_field(head, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) append_field(head, name, value);
  if (form == BodyForm::chunked) append_field(head, "Transfer-Encoding", "chunked");
  if (form == BodyForm::sized && may_have_body(response.status)) {
    head += "Content-Length: ";
    append_number(head, response.body.size());
    head += "\r\n";
  }
  if (after == AfterAnswer::close) append_field(head, "Connection", "close");
  if (after == AfterAnswer::keep_alive) append_field(head, "Connection", "keep-alive");
  head += "\r\n";
}

}  // namespace postrider
