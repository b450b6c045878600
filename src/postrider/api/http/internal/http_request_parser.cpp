#include "postrider/api/http/internal/http_request_parser.hpp"

#include <algorithm>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "postrider/api/http/target.hpp"

namespace postrider {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using BeastError = boost::system::error_code;

/// What JSON parsers read behind the end.
constexpr std::size_t spare_bytes = 64;
constexpr std::size_t kept_body_capacity = 64 * 1024;

/// Fills a request while Beast parses it.
class BeastParser final : public http::basic_parser<true> {
 public:
  BeastParser(HttpServerRequest& request, std::size_t header_bytes_max)
      : request_(request), header_bytes_left_(header_bytes_max) {
    header_limit(static_cast<std::uint32_t>(header_bytes_max));
    eager(false);
  }

  std::optional<Error> target_error;
  int version = 0;

 private:
  void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                       int version_sent, BeastError&) override {
    version = version_sent;
    request_.method = std::string_view(method);
    Result<void> parsed = postrider::parse_target(target, request_);
    if (!parsed) target_error = std::move(parsed).error();
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     BeastError& error) override {
    const std::size_t bytes = name.size() + value.size() + 4;
    if (bytes > header_bytes_left_) {
      error = http::error::header_limit;
      return;
    }
    header_bytes_left_ -= bytes;
    if (is_header_done_) return;  // a trailer
    request_.headers.insert(field, name, value);
  }

  void on_header_impl(BeastError&) override { is_header_done_ = true; }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, BeastError&) override {
    if (length) request_.body.reserve(static_cast<std::size_t>(*length) + spare_bytes);
  }

  std::size_t on_body_impl(beast::string_view part, BeastError&) override {
    request_.body.append(part.data(), part.size());
    return part.size();
  }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, BeastError&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, BeastError&) override {
    request_.body.append(part.data(), part.size());
    return part.size();
  }

  void on_finish_impl(BeastError&) override {
    if (request_.body.capacity() - request_.body.size() < spare_bytes) {
      request_.body.reserve(request_.body.size() + spare_bytes);
    }
  }

  void on_response_impl(int, beast::string_view, int, BeastError&) override {}

  HttpServerRequest& request_;
  std::size_t header_bytes_left_;
  bool is_header_done_ = false;
};

void clear(HttpServerRequest& request) {
  request.method.clear();
  request.path.clear();
  request.segments.clear();
  request.query.clear();
  request.path_parameters.clear();
  request.headers.clear();
  // Assigning an empty string would keep the memory.
  if (request.body.capacity() > kept_body_capacity) std::string().swap(request.body);
  request.body.clear();
}

HttpRequestParser::Failure header_too_large(std::size_t bytes_max) {
  return {Error{Code::limit_exceeded,
                fmt::format("the request line or the header is larger than {} bytes: send less",
                            bytes_max)},
          431};
}

HttpRequestParser::Failure failure_of(BeastError error, std::size_t header_bytes_max) {
  if (error == http::error::header_limit) return header_too_large(header_bytes_max);
  if (error == http::error::body_limit) {
    return {Error{Code::payload_too_large,
                  "the body is larger than this path takes: send it in smaller parts"}};
  }
  return {Error{Code::invalid_argument,
                fmt::format("the request is not valid HTTP/1.1: {}", error.message())}};
}

}  // namespace

class HttpRequestParser::Message {
 public:
  HttpServerRequest* request = nullptr;
  std::optional<BeastParser> parser;
};

HttpRequestParser::HttpRequestParser(std::size_t header_bytes_max)
    : header_bytes_max_(header_bytes_max), message_(std::make_unique<Message>()) {}

HttpRequestParser::~HttpRequestParser() = default;

void HttpRequestParser::begin(HttpServerRequest& request) {
  clear(request);
  message_->request = &request;
  message_->parser.emplace(request, header_bytes_max_);
  message_->parser->body_limit(boost::none);
}

HttpRequestParser::Fed HttpRequestParser::failed(Failure failure) {
  failure_ = std::move(failure);
  return {State::failed, 0};
}

HttpRequestParser::Fed HttpRequestParser::feed(std::string_view bytes) {
  BeastParser& parser = *message_->parser;
  std::size_t skipped = 0;
  if (!parser.got_some()) {
    // Some clients send an empty line after a body.
    while (bytes.substr(skipped).starts_with("\r\n")) skipped += 2;
    bytes.remove_prefix(skipped);
    if (bytes.empty() || bytes == "\r") return {State::need_more, skipped};
  }
  const bool was_in_head = !parser.is_header_done();
  BeastError error;
  const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error && error != http::error::need_more) return failed(failure_of(error, header_bytes_max_));
  if (was_in_head && parser.is_header_done()) {
    if (auto failure = head_failure()) return failed(*std::move(failure));
    return {parser.is_done() ? State::done : State::head_done, skipped + used};
  }
  if (parser.is_done()) return {State::done, skipped + used};
  // A chunk's extension or a trailer that does not end.
  if (bytes.size() - used > 2 * header_bytes_max_) {
    return failed(header_too_large(header_bytes_max_));
  }
  return {State::need_more, skipped + used};
}

std::optional<HttpRequestParser::Failure> HttpRequestParser::head_failure() const {
  const HttpFields& headers = message_->request->headers;
  const auto encodings = headers.equal_range(http::field::transfer_encoding);
  const auto is_chunked = [](const auto& field) {
    return beast::iequals(field.value(), "chunked");
  };
  if (!std::all_of(encodings.first, encodings.second, is_chunked)) {
    return Failure{Error{Code::invalid_argument,
                         "the only Transfer-Encoding that is understood here is chunked"}};
  }
  if (!is_http_1_0() && headers.count(http::field::host) != 1) {
    return Failure{Error{Code::invalid_argument, "an HTTP/1.1 request has one Host header"}};
  }
  return std::nullopt;
}

void HttpRequestParser::allow_body(std::uint64_t bytes_max) {
  message_->parser->body_limit(bytes_max);
  message_->parser->eager(true);
}

const HttpRequestParser::Failure& HttpRequestParser::failure() const {
  return failure_;
}

const std::optional<Error>& HttpRequestParser::target_error() const {
  return message_->parser->target_error;
}

std::optional<std::uint64_t> HttpRequestParser::content_length() const {
  const auto length = message_->parser->content_length();
  return length ? std::optional(*length) : std::nullopt;
}

bool HttpRequestParser::keep_alive() const {
  // HTTP/1.0 knows no chunks: a proxy in between may take what follows for part of the body
  // (RFC 9112, 6.1).
  const bool is_faulty = is_http_1_0() && message_->parser->chunked();
  return message_->parser->keep_alive() && !is_faulty;
}

bool HttpRequestParser::is_http_1_0() const {
  return message_->parser->version == 10;
}

bool HttpRequestParser::expects_continue() const {
  const auto expected = message_->request->headers[http::field::expect];
  return beast::iequals(expected, "100-continue") && !is_http_1_0();
}

}  // namespace postrider
