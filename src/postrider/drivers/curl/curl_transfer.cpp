#include "postrider/drivers/curl/curl_transfer.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <sys/socket.h>

#include "postrider/base/assert.hpp"
#include "postrider/drivers/asio/asio_runtime.hpp"
#include "postrider/drivers/curl/curl_failure.hpp"

namespace postrider {
namespace {

namespace ip = boost::asio::ip;

/// How long an idle connection may be used again. Node closes its side after 5 s without a request,
/// and what is sent just then is lost. Those who close sooner cost one more attempt at times.
constexpr long idle_seconds_max = 4;

/// Besides the body of an answer, and a quarter of that: headers, the framing of chunks, TLS.
constexpr std::uint64_t answer_overhead_max = 64U << 10;
/// libcurl reads a socket a hundred times before it turns to the next one, so much each time.
constexpr long buffer_bytes = 1024;
constexpr std::size_t read_at_once_max = 100 * buffer_bytes;
/// What reading from a socket costs, in bytes that are read: one that comes byte by byte keeps the
/// thread as busy as one that is long.
constexpr std::uint64_t reading_cost = 256;
/// And each piece of a body, such as a chunk, however small.
constexpr std::uint64_t piece_cost = 64;

/// What libcurl takes: at least one millisecond, because zero means "for ever".
long curl_milliseconds(Duration duration) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<long>(
      std::clamp<std::int64_t>(count, 1, std::numeric_limits<std::int32_t>::max()));
}

/// Without a scope; nothing for other families than IP.
std::optional<ip::address> ip_address(const curl_sockaddr& address) {
  ip::tcp::endpoint endpoint;
  if (address.family != AF_INET && address.family != AF_INET6) return std::nullopt;
  if (address.addrlen > endpoint.capacity()) return std::nullopt;
  const void* raw = &address.addr;
  std::memcpy(endpoint.data(), raw, address.addrlen);
  ip::address found = endpoint.address();
  if (found.is_v4()) return found;
  return ip::address_v6(found.to_v6().to_bytes());
}

}  // namespace

CurlTransfer::CurlTransfer(const CurlHttpClientSettings& settings)
    : settings_(settings), easy_(settings.user_agent) {
  easy_.set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  easy_.set(CURLOPT_FOLLOWLOCATION, 0L);
  easy_.set(CURLOPT_PROXY, "");
  easy_.set(CURLOPT_PATH_AS_IS, 1L);
  // A name lookup that hangs is left to its own thread, or it would hold up everybody's transfers.
  easy_.set(CURLOPT_QUICK_EXIT, 1L);
  easy_.set(CURLOPT_TCP_NODELAY, 1L);
  easy_.set(CURLOPT_SSL_VERIFYPEER, 1L);
  easy_.set(CURLOPT_SSL_VERIFYHOST, 2L);
  easy_.set(CURLOPT_CONNECTTIMEOUT_MS, curl_milliseconds(settings_.connect_timeout));
  easy_.set(CURLOPT_BUFFERSIZE, buffer_bytes);
  easy_.set(CURLOPT_MAXAGE_CONN, idle_seconds_max);
  easy_.set(CURLOPT_ERRORBUFFER, error_text_.data());
  easy_.set(CURLOPT_PREREQFUNCTION, &CurlTransfer::on_connected);
  easy_.set(CURLOPT_PREREQDATA, this);
  easy_.set(CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::on_open_socket);
  easy_.set(CURLOPT_OPENSOCKETDATA, this);
  easy_.set(CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  easy_.set(CURLOPT_HEADERDATA, this);
  easy_.set(CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
  easy_.set(CURLOPT_WRITEDATA, this);
  easy_.set(CURLOPT_READFUNCTION, &CurlTransfer::on_read);
  easy_.set(CURLOPT_READDATA, this);
  easy_.set(CURLOPT_SEEKFUNCTION, &CurlTransfer::on_seek);
  easy_.set(CURLOPT_SEEKDATA, this);
}

Result<void> CurlTransfer::prepare(HttpRequest request) {
  request_ = std::move(request);
  response_ = {};
  refused_address_.clear();
  address_allowed_ = false;
  head_complete_ = false;
  socket_opened_ = false;
  begun_ = false;
  answered_ = false;
  may_not_leave_ = false;
  arrived_ = 0;
  is_overlong_ = false;
  socket_error_ = 0;
  error_text_[0] = '\0';
  if (!easy_.set_target(request_.method, request_.url)) {
    return std::unexpected(failure(CURLE_URL_MALFORMAT));
  }
  if (!easy_.set_headers(request_.headers)) {
    return fail(Code::connection_failed, "a header of the request has a line break in it");
  }
  set_body();
  easy_.set(CURLOPT_FRESH_CONNECT, request_.fresh_connection ? 1L : 0L);
  easy_.set(CURLOPT_TIMEOUT_MS, curl_milliseconds(request_.timeout));
  return {};
}

void CurlTransfer::set_body() {
  if (!request_.body) return easy_.set_body(request_.method, std::nullopt);
  const auto pieces = request_.body->pieces();
  if (pieces.size() <= 1) {
    return easy_.set_body(request_.method, pieces.empty() ? std::string_view() : pieces.front());
  }
  begin_body();
  easy_.set_body_to_read(request_.body->size());
}

void CurlTransfer::begin_body() {
  unsent_ = request_.body->pieces();
  sent_of_first_ = 0;
}

/// Copies what comes next of the body.
std::size_t CurlTransfer::read_body(std::span<char> space) {
  std::size_t copied = 0;
  while (copied < space.size() && !unsent_.empty()) {
    const std::string_view piece = unsent_.front().substr(sent_of_first_);
    const std::size_t bytes = piece.copy(space.data() + copied, space.size() - copied);
    copied += bytes;
    sent_of_first_ += bytes;
    if (bytes < piece.size()) break;
    unsent_ = unsent_.subspan(1);
    sent_of_first_ = 0;
  }
  return copied;
}

Result<HttpResponse> CurlTransfer::finish(CURLcode code) {
  Result<HttpResponse> result = outcome(code);
  unsent_ = {};
  request_ = {};
  return result;
}

Result<HttpResponse> CurlTransfer::outcome(CURLcode code) {
  const int status = easy_.status();
  response_.body_cut |= is_overlong_;
  if (code != CURLE_OK && !response_.body_cut) return std::unexpected(failure(code));
  // libcurl takes a head that breaks off, or one that only announces another, for an answer.
  if (!head_complete_ || status < 200) {
    return std::unexpected(failure(is_overlong_ ? CURLE_FILESIZE_EXCEEDED : CURLE_PARTIAL_FILE));
  }
  response_.status = status;
  response_.retry_after = easy_.retry_after();
  return std::move(response_);
}

/// A connection that was kept alive has ended without a byte. libcurl would then send the request
/// again by itself, which is refused where it opens a socket or has found another connection, and
/// may fail before that: all of it comes to the same.
bool CurlTransfer::is_connection_lost(CURLcode code) const {
  return begun_ && !socket_opened_ && !answered_ && !is_overlong_ &&
         code != CURLE_OPERATION_TIMEDOUT;
}

Error CurlTransfer::failure(CURLcode code) const {
  if (may_not_leave_) {
    return {Code::session_ended,
            "not sent: the session of this process had ended before the connection was there"};
  }
  const bool is_lost = is_connection_lost(code);
  if (is_lost) code = CURLE_GOT_NOTHING;
  curl_off_t connected_after = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected_after);
  long system_error = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &system_error);
  const CurlFailure known{
      .code = code,
      .url = request_.url,
      .timeout = request_.timeout,
      .connect_timeout = settings_.connect_timeout,
      .connected = connected_after > 0,
      .system_error = socket_error_ != 0 ? socket_error_ : static_cast<int>(system_error),
      .refused_address = address_allowed_ ? std::string{} : refused_address_,
      .tls_detail = error_text_.data(),
  };
  Error error = describe(known);
  if (is_lost) error.code = Code::connection_lost;
  return error;
}

bool CurlTransfer::may_begin() {
  // A second time is a repetition that nobody asked for.
  if (begun_) return false;
  may_not_leave_ = request_.permit && !request_.permit->holds(steady_now());
  begun_ = !may_not_leave_;
  return begun_;
}

curl_socket_t CurlTransfer::open_socket(const curl_sockaddr& address) {
  if (begun_) return CURL_SOCKET_BAD;
  socket_opened_ = true;
  const std::optional<ip::address> target = ip_address(address);
  if (!target || !settings_.policy.allows(*target)) {
    refused_address_ = target ? target->to_string() : "of an unknown family";
    return CURL_SOCKET_BAD;
  }
  address_allowed_ = true;
  const int socket = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (socket < 0) socket_error_ = errno;
  return socket < 0 ? CURL_SOCKET_BAD : socket;
}

/// Not counted where libcurl hands the answer over: it keeps the framing of chunks to itself. What
/// waits counts from the next time on, since it may be a long body behind the headers.
bool CurlTransfer::may_read(std::size_t waiting) {
  const std::uint64_t body_max = settings_.response_bytes_max;
  is_overlong_ = arrived_ > body_max + body_max / 4 + answer_overhead_max;
  arrived_ += reading_cost + std::min(waiting, read_at_once_max);
  return !is_overlong_;
}

void CurlTransfer::take_header_line(std::string_view line) {
  answered_ = true;
  if (line.starts_with("HTTP/")) head_complete_ = false;
  if (line == "\r\n" || line == "\n") head_complete_ = true;
}

std::size_t CurlTransfer::take_body(std::string_view bytes) {
  arrived_ += piece_cost;
  const std::uint64_t room = settings_.response_bytes_max - response_.body.size();
  response_.body.append(bytes.substr(0, room));
  if (bytes.size() <= room) return bytes.size();
  response_.body_cut = true;
  // Another number than was offered ends the transfer and closes the connection.
  return 0;
}

int CurlTransfer::on_connected(void* self, char*, char*, int, int) {
  const bool may_begin = static_cast<CurlTransfer*>(self)->may_begin();
  return may_begin ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

curl_socket_t CurlTransfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  return static_cast<CurlTransfer*>(self)->open_socket(*address);
}

std::size_t CurlTransfer::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  static_cast<CurlTransfer*>(self)->take_header_line({bytes, size * count});
  return size * count;
}

std::size_t CurlTransfer::on_read(char* space, std::size_t size, std::size_t count, void* self) {
  return static_cast<CurlTransfer*>(self)->read_body({space, size * count});
}

/// libcurl sends a request again when a connection that was kept alive turns out to be closed.
int CurlTransfer::on_seek(void* self, curl_off_t offset, int origin) {
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<CurlTransfer*>(self)->begin_body();
  return CURL_SEEKFUNC_OK;
}

std::size_t CurlTransfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<CurlTransfer*>(self)->take_body({bytes, size * count});
}

}  // namespace postrider
