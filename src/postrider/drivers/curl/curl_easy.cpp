#include "postrider/drivers/curl/curl_easy.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

constexpr std::chrono::seconds retry_after_max = std::chrono::hours{24};

/// One line of a request's head; a control character in it would start another line.
bool fits_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

CurlEasy::CurlEasy(const std::string& user_agent) : easy_(curl_easy_init()) {
  POSTRIDER_ASSERT(easy_ != nullptr, "libcurl could not make a handle");
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  if (!user_agent.empty()) set(CURLOPT_USERAGENT, user_agent.c_str());
}

bool CurlEasy::set_target(const std::string& method, const std::string& url) {
  if (!fits_one_line(method) || !fits_one_line(url)) return false;
  if (curl_easy_setopt(get(), CURLOPT_URL, url.c_str()) != CURLE_OK) return false;
  // Also takes back what the request before has set.
  set(CURLOPT_HTTPGET, 1L);
  if (method == "HEAD") set(CURLOPT_NOBODY, 1L);
  set(CURLOPT_CUSTOMREQUEST, method.c_str());
  return true;
}

void CurlEasy::add_header(const std::string& line) {
  curl_slist* list = curl_slist_append(headers_.get(), line.c_str());
  POSTRIDER_ASSERT(list != nullptr, "no memory for the headers of a request");
  (void)headers_.release();
  headers_.reset(list);
}

bool CurlEasy::set_headers(const Headers& headers) {
  headers_.reset();
  // libcurl adds these two by itself unless they are named without a value.
  add_header("Expect:");
  const bool has_content_type = std::ranges::any_of(headers, [](const auto& header) {
    return curl_strequal(header.first.c_str(), "Content-Type") != 0;
  });
  if (!has_content_type) add_header("Content-Type:");
  for (const auto& [name, value] : headers) {
    if (!fits_one_line(name) || !fits_one_line(value)) return false;
    add_header(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  set(CURLOPT_HTTPHEADER, headers_.get());
  return true;
}

void CurlEasy::set_body(const std::string& method, std::optional<std::string_view> body) {
  if (method == "HEAD" || (!body && method != "PUT" && method != "POST")) return;
  const std::string_view bytes = body.value_or("");
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(bytes.size()));
  set(CURLOPT_POSTFIELDS, bytes.data());
}

void CurlEasy::set_body_to_read(std::size_t bytes) {
  // A POST in libcurl's eyes, whatever its method is named.
  set(CURLOPT_POSTFIELDS, static_cast<const char*>(nullptr));
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(bytes));
}

int CurlEasy::status() const {
  long status = 0;
  curl_easy_getinfo(get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::optional<Duration> CurlEasy::retry_after() const {
  // Zero when there is none, and below it for a date that is over.
  curl_off_t seconds = 0;
  curl_easy_getinfo(get(), CURLINFO_RETRY_AFTER, &seconds);
  if (seconds <= 0) return std::nullopt;
  return std::chrono::seconds{std::min<curl_off_t>(seconds, retry_after_max.count())};
}

}  // namespace postrider
