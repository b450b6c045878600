#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "postrider/base/time.hpp"

namespace postrider {

/// An easy handle of libcurl, for one request after the other.
class CurlEasy {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  /// An empty user agent is not sent.
  explicit CurlEasy(const std::string& user_agent);

  [[nodiscard]] CURL* get() const { return easy_.get(); }
  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  /// False when it is not a URL or no method.
  bool set_target(const std::string& method, const std::string& url);
  /// In place of those of the request before; false when one has a line break in it.
  bool set_headers(const Headers& headers);
  /// PUT and POST have a body even when none is given. The bytes must live until the request is
  /// over. After `set_target`.
  void set_body(const std::string& method, std::optional<std::string_view> body);
  /// The same for so many bytes that CURLOPT_READFUNCTION gives.
  void set_body_to_read(std::size_t bytes);

  [[nodiscard]] int status() const;
  /// What the Retry-After header says, a day at most; nothing when that is not above zero.
  [[nodiscard]] std::optional<Duration> retry_after() const;

 private:
  struct Cleanup {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  void add_header(const std::string& line);

  std::unique_ptr<curl_slist, Cleanup> headers_;
  std::unique_ptr<CURL, Cleanup> easy_;
};

}  // namespace postrider
