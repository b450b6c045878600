#include "postrider/api/http/internal/response_head.hpp"

#include <iterator>

#include <boost/beast/http/status.hpp>

namespace postrider {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) out += c == '\r' || c == '\n' ? ' ' : c;
  out.append("\r\n");
}

void append_status_line(std::string& out, int status) {
  namespace http = boost::beast::http;
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", status,
                 std::string_view(reason.data(), reason.size()));
}

}  // namespace

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

void append_response_head(std::string& out, const HttpServerResponse& response, BodyForm form,
                          AfterAnswer after) {
  append_status_line(out, response.status);
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  if (form == BodyForm::chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (form == BodyForm::sized && may_have_body(response.status)) {
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
  }
  if (after == AfterAnswer::close) out.append("Connection: close\r\n");
  if (after == AfterAnswer::keep_alive) out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
}

}  // namespace postrider
