#include "postrider/api/http/internal/http_connection.hpp"

#include <exception>
#include <utility>

#include "postrider/api/http/problem.hpp"
#include "postrider/base/log.hpp"

namespace postrider {
namespace {

constexpr std::size_t head_read_bytes = 8 * 1024;
constexpr std::size_t body_read_bytes = 64 * 1024;
/// A body that brings less within the time-out stands still.
constexpr std::size_t body_step_bytes = 16 * 1024;
constexpr Duration full_retry_after = std::chrono::seconds{1};
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
// Copying more than this costs more than a second buffer.
constexpr std::size_t copied_body_bytes_max = 8 * 1024;
/// What a connection that waits keeps of the memory of its last answer.
constexpr std::size_t kept_answer_bytes = 1024;
constexpr Duration closing_patience = std::chrono::seconds{2};

HttpServerResponse no_route(const HttpServerRequest& request, const std::string& allow) {
  const std::string path = request.path;
  if (allow.empty()) {
    const Error error{Code::not_found, fmt::format("there is nothing at {}", path)};
    return problem_response(error, request.request_id);
  }
  const Error error{Code::method_not_allowed,
                    fmt::format("{} does not take {}, only {}", path, request.method, allow)};
  HttpServerResponse response = problem_response(error, request.request_id);
  response.headers.emplace_back("Allow", allow);
  return response;
}

Error too_many_bodies(std::size_t bytes_max) {
  Error error{Code::overloaded,
              fmt::format("the server holds {} bytes of requests already: try again later, send"
                          " smaller ones, or raise its bodies_max",
                          bytes_max)};
  error.retry_after = full_retry_after;
  return error;
}

HttpServerResponse bug_response(const HttpRoute& route, const HttpServerRequest& request,
                                std::string_view what) {
  log_error("bug: request {}: the handler of {} {} threw: {}", request.request_id, route.method,
            route.path_template, what);
  const Error error{Code::internal,
                    "this is a bug in the server: its log tells more under the request ID"};
  return problem_response(error, request.request_id);
}

}  // namespace

HttpConnection::HttpConnection(boost::asio::ip::tcp::socket socket, HttpServerShared& shared)
    : shared_(shared),
      socket_(std::move(socket)),
      parser_(shared.settings.header_bytes_max),
      waiting_since_(++shared.waits) {
  request_.remote_address = socket_.remote_address();
  request_.watch_client = [this](std::function<void()> gone) {
    is_watching_ = true;
    socket_.watch_for_end(std::move(gone));
  };
}

HttpConnection::~HttpConnection() {
  release_body();
}

bool HttpConnection::count_body() {
  const std::size_t bytes = request_.body.size();
  const std::size_t more = bytes - body_bytes_;
  body_bytes_ = bytes;
  const std::size_t all = shared_.body_bytes.fetch_add(more, std::memory_order_relaxed) + more;
  return all <= shared_.settings.bodies_bytes_max;
}

void HttpConnection::release_body() {
  shared_.body_bytes.fetch_sub(std::exchange(body_bytes_, 0), std::memory_order_relaxed);
}

Async<void> HttpConnection::run() {
  Next next = Next::more;
  while (next == Next::more) next = co_await serve_one();
  if (next == Next::close_gently) co_await socket_.close_gently(closing_patience);
  socket_.close();
}

void HttpConnection::begin_stop() {
  if (is_idle_) socket_.close();
  if (stream_ != nullptr) stream_->wake_source();
}

void HttpConnection::leave() {
  if (waiting_since_ == 0) return shared_.connections.stay(this);
  socket_.close();
}

void HttpConnection::close() {
  socket_.close();
  if (stream_ != nullptr) stream_->lose_client();
}

Async<HttpConnection::Next> HttpConnection::serve_one() {
  begin_request();
  const State head = co_await read_head();
  if (head == State::need_more) co_return Next::close;
  if (head == State::failed) {
    const auto& [error, status] = parser_.failure();
    co_return co_await refuse(problem_response(error, request_.request_id, status), head);
  }
  const HttpRouter::Found found = shared_.router.find(request_);
  if (auto response = refusal(found)) co_return co_await refuse(*std::move(response), head);
  accept(*found.route);
  if (head == State::head_done) {
    const State body = co_await read_body(found.route->body_bytes_max);
    if (body == State::need_more) co_return Next::close;
    if (is_over_) {
      const Error error = too_many_bodies(shared_.settings.bodies_bytes_max);
      co_return co_await refuse(problem_response(error, request_.request_id), State::failed);
    }
    if (body == State::failed) {
      const auto& [error, status] = parser_.failure();
      co_return co_await refuse(problem_response(error, request_.request_id, status), body);
    }
  }
  co_return co_await answer(*found.route);
}

void HttpConnection::accept(const HttpRoute& route) {
  waiting_since_ = 0;
  if (is_authenticated_ || route.role == Role::none) return;
  is_authenticated_ = true;
  shared_.connections.set_authenticated(this);
}

void HttpConnection::begin_request() {
  const bool is_waiting = !is_authenticated_ || socket_.buffered().empty();
  if (is_waiting) waiting_since_ = ++shared_.waits;
  release_body();
  parser_.begin(request_);
  header_memory_.release();
  const std::uint64_t number = shared_.request_count.fetch_add(1, std::memory_order_relaxed) + 1;
  const fmt::format_int digits(number);
  request_.request_id = shared_.settings.request_id_prefix;
  request_.request_id += '-';
  request_.request_id.append(digits.data(), digits.size());
}

Async<HttpConnection::State> HttpConnection::read_head() {
  is_idle_ = socket_.buffered().empty();
  if (is_idle_ && shared_.stopping) co_return State::need_more;
  if (answer_.capacity() > kept_answer_bytes) answer_ = {};
  const HttpServerSettings& settings = shared_.settings;
  State state = is_idle_ ? State::need_more : feed();
  if (state == State::need_more) {
    socket_.set_timeout(is_idle_ ? settings.idle_timeout : settings.read_timeout);
  }
  while (state == State::need_more) {
    const bool came = co_await socket_.read_more(head_read_bytes);
    if (!came) co_return State::need_more;
    if (is_authenticated_) waiting_since_ = 0;
    state = feed();
    if (is_idle_ && state == State::need_more) socket_.set_timeout(settings.read_timeout);
    is_idle_ = false;
  }
  co_return state;
}

Async<HttpConnection::State> HttpConnection::read_body(std::uint64_t bytes_max) {
  const HttpServerSettings& settings = shared_.settings;
  parser_.allow_body(bytes_max);
  State state = socket_.buffered().empty() ? State::need_more : feed();
  if (state == State::need_more && parser_.expects_continue()) {
    WireBuffers interim = {boost::asio::buffer(go_on)};
    const bool sent = co_await socket_.write(std::move(interim), settings.write_timeout);
    if (!sent) co_return State::need_more;
  }
  std::size_t due_bytes = 0;
  while (state == State::need_more) {
    if (!count_body()) {
      is_over_ = true;
      // At once, or the others would be over as well.
      std::string().swap(request_.body);
      release_body();
      co_return State::failed;
    }
    if (body_bytes_ >= due_bytes) {
      socket_.set_timeout(settings.read_timeout);
      due_bytes = body_bytes_ + body_step_bytes;
    }
    const bool came = co_await socket_.read_more(body_read_bytes);
    if (!came) co_return State::need_more;
    state = feed();
  }
  co_return state;
}

HttpConnection::State HttpConnection::feed() {
  const HttpRequestParser::Fed fed = parser_.feed(socket_.buffered());
  socket_.consume(fed.consumed);
  return fed.state;
}

std::optional<HttpServerResponse> HttpConnection::refusal(const HttpRouter::Found& found) const {
  if (parser_.target_error()) return problem_response(*parser_.target_error(), request_.request_id);
  if (found.route == nullptr) return no_route(request_, found.allow);
  const HttpRoute& route = *found.route;
  const auto allowed = shared_.tokens.check(route.role, request_.header("Authorization"));
  if (!allowed) return problem_response(allowed.error(), request_.request_id);
  if (parser_.content_length().value_or(0) <= route.body_bytes_max) return std::nullopt;
  const Error error{Code::payload_too_large,
                    fmt::format("the body has {} bytes and {} takes at most {}: send it in "
                                "smaller parts",
                                *parser_.content_length(), request_.path, route.body_bytes_max)};
  return problem_response(error, request_.request_id);
}

Async<HttpConnection::Next> HttpConnection::refuse(HttpServerResponse response, State read) {
  waiting_since_ = 0;
  const bool is_read = read == State::done;
  const AfterAnswer after = is_read ? after_answer() : AfterAnswer::close;
  bool sent = send_now(response, after);
  if (!sent) sent = co_await send_rest(response);
  if (!sent) co_return Next::close;
  if (!is_read) co_return Next::close_gently;
  co_return after == AfterAnswer::close ? Next::close : Next::more;
}

Async<HttpConnection::Next> HttpConnection::answer(const HttpRoute& route) {
  HttpServerResponse response;
  try {
    response = co_await route.handler(request_);
  } catch (const std::exception& exception) {
    response = bug_response(route, request_, exception.what());
  } catch (...) {
    response = bug_response(route, request_, "something that is not an exception");
  }
  if (std::exchange(is_watching_, false)) socket_.end_watch();
  if (response.close_without_answer) co_return Next::close;
  const AfterAnswer after = after_answer();
  bool sent = false;
  if (response.source) {
    sent = co_await send_stream(response, after);
  } else {
    sent = send_now(response, after);
    if (!sent) sent = co_await send_rest(response);
  }
  if (sent && after != AfterAnswer::close) co_return Next::more;
  // What is not read any more would reset the connection before the client has the answer.
  co_return sent && !socket_.buffered().empty() ? Next::close_gently : Next::close;
}

bool HttpConnection::send_now(const HttpServerResponse& response, AfterAnswer after) {
  answer_.clear();
  sent_bytes_ = 0;
  append_response_head(response, BodyForm::sized, after, answer_);
  const bool has_body = request_.method != "HEAD" && may_have_body(response.status);
  is_body_apart_ = has_body && response.body.size() > copied_body_bytes_max;
  if (is_body_apart_) return false;
  if (has_body) answer_ += response.body;
  sent_bytes_ = socket_.write_now(answer_);
  return sent_bytes_ == answer_.size();
}

Async<bool> HttpConnection::send_rest(const HttpServerResponse& response) {
  WireBuffers parts = {boost::asio::buffer(answer_) + sent_bytes_};
  if (is_body_apart_) parts.push_back(boost::asio::buffer(response.body));
  co_return co_await socket_.write(std::move(parts), shared_.settings.write_timeout);
}

Async<bool> HttpConnection::send_stream(HttpServerResponse& response, AfterAnswer after) {
  const Duration write_timeout = shared_.settings.write_timeout;
  const BodyForm form = parser_.is_http_1_0() ? BodyForm::until_close : BodyForm::chunked;
  std::string head;
  append_response_head(response, form, after, head);
  const WireBuffers parts = {boost::asio::buffer(head)};
  const bool begun = co_await socket_.write(parts, write_timeout);
  if (!begun || request_.method == "HEAD") co_return begun;

  HttpResponseStream stream(socket_, shared_.stopping, write_timeout, form);
  stream_ = &stream;
  socket_.watch_for_end([weak = weak_from_this()] {
    const auto connection = weak.lock();
    if (connection && connection->stream_ != nullptr) connection->stream_->lose_client();
  });
  bool is_whole = true;
  try {
    co_await response.source(stream);
  } catch (const std::exception& exception) {
    log_error("bug: request {}: the source of a streamed answer threw: {}", request_.request_id,
              exception.what());
    is_whole = false;
  }
  stream_ = nullptr;
  socket_.end_watch();
  co_return is_whole&& co_await stream.finish();
}

AfterAnswer HttpConnection::after_answer() const {
  if (shared_.stopping || !parser_.keep_alive()) return AfterAnswer::close;
  return parser_.is_http_1_0() ? AfterAnswer::keep_alive : AfterAnswer::unsaid;
}

}  // namespace postrider
