#include "postrider/api/http/internal/http_response_stream.hpp"

#include <utility>

#include <boost/beast/http/chunk_encode.hpp>

namespace postrider {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

template <typename Buffers>
WireBuffers parts_of(const Buffers& buffers) {
  return {asio::buffer_sequence_begin(buffers), asio::buffer_sequence_end(buffers)};
}

}  // namespace

HttpResponseStream::HttpResponseStream(HttpSocket& socket, const std::atomic<bool>& stopping,
                                       Duration write_timeout, BodyForm form)
    : socket_(socket), stopping_(stopping), write_timeout_(write_timeout), form_(form) {}

Async<Result<void>> HttpResponseStream::write(std::string_view piece) {
  if (client_gone_) co_return fail(Code::connection_failed, "the client has closed the connection");
  if (stopping_) co_return fail(Code::stopping, "the server is stopping");
  // An empty chunk would end the answer.
  if (piece.empty()) co_return Result<void>();
  const asio::const_buffer bytes = asio::buffer(piece);
  const auto chunk = http::make_chunk(bytes);
  WireBuffers parts = form_ == BodyForm::chunked ? parts_of(chunk) : WireBuffers{bytes};
  const bool sent = co_await socket_.write(std::move(parts), write_timeout_);
  if (sent) co_return Result<void>();
  client_gone_ = true;
  co_return fail(Code::connection_failed, "the client has closed the connection or does not read");
}

bool HttpResponseStream::ended() const {
  return client_gone_ || stopping_;
}

void HttpResponseStream::on_end(std::function<void()> wake) {
  wake_ = std::move(wake);
  if (ended()) wake_source();
}

void HttpResponseStream::lose_client() {
  client_gone_ = true;
  wake_source();
}

void HttpResponseStream::wake_source() {
  if (wake_) std::exchange(wake_, nullptr)();
}

Async<bool> HttpResponseStream::finish() {
  wake_ = nullptr;
  if (client_gone_) co_return false;
  if (form_ != BodyForm::chunked) co_return true;
  co_return co_await socket_.write(parts_of(http::make_chunk_last()), write_timeout_);
}

}  // namespace postrider
