#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "postrider/base/result.hpp"
#include "postrider/drivers/curl/curl_easy.hpp"
#include "postrider/drivers/curl/curl_http_client_settings.hpp"
#include "postrider/runtime/http_client.hpp"

namespace postrider {

/// One request at a time on one easy handle, which is used again for the next. On the loop's
/// thread only; neither moves nor copies, because libcurl holds its address.
class CurlTransfer {
 public:
  /// `settings` outlives the transfer.
  explicit CurlTransfer(const CurlHttpClientSettings& settings);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;
  ~CurlTransfer() = default;

  [[nodiscard]] CURL* handle() const { return easy_.get(); }

  /// Makes the handle ready for `curl_multi_add_handle`. Fails on a request that cannot be
  /// written as HTTP.
  Result<void> prepare(HttpRequest request);

  [[nodiscard]] const std::string& url() const { return request_.url; }

  /// Libcurl is about to read from its socket, where `waiting` bytes are. False when so much has
  /// come that the rest of the answer is not read: `finish` follows.
  bool may_read(std::size_t waiting);

  /// What came of it, once libcurl said `code`. Lets go of the request.
  Result<HttpResponse> finish(CURLcode code);

 private:
  Result<HttpResponse> outcome(CURLcode code);
  [[nodiscard]] Error failure(CURLcode code) const;
  [[nodiscard]] bool is_connection_lost(CURLcode code) const;

  /// The connection is there, and libcurl is about to write the request.
  bool may_begin();

  curl_socket_t open_socket(const curl_sockaddr& address);
  void take_header_line(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  void set_body();
  void begin_body();
  std::size_t read_body(std::span<char> space);

  static int on_connected(void* self, char* address, char* local_address, int port, int local_port);
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* space, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);

  const CurlHttpClientSettings& settings_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  HttpRequest request_;
  std::span<const std::string_view> unsent_;  ///< pieces of its body, if there are several
  std::size_t sent_of_first_ = 0;
  HttpResponse response_;
  std::string refused_address_;
  bool address_allowed_ = false;
  bool head_complete_ = false;
  bool socket_opened_ = false;
  bool begun_ = false;     ///< some of the request may have left
  bool answered_ = false;  ///< some of an answer has come
  bool may_not_leave_ = false;
  std::uint64_t arrived_ = 0;  ///< bytes of all that was read, and what reading them cost
  bool is_overlong_ = false;
  int socket_error_ = 0;
  CurlEasy easy_;
};

}  // namespace postrider
