#include "sim/history/webhook_request.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace postrider::sim {
namespace {

constexpr std::string_view number_key = "\"n\":";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                  static_cast<int>(bytes.size()));
  text.pop_back();  // it ends with a zero
  return text;
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(message), message.size(),
       digest.data(), &length);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

std::string webhook_key(const std::string& service) {
  return fmt::format("{:.>24}", service);
}

}  // namespace

std::string webhook_secret(const std::string& service) {
  return "whsec_" + base64(webhook_key(service));
}

const std::string* header_of(const HttpRequest& request, std::string_view name) {
  const auto found = std::ranges::find_if(request.headers,
                                          [name](const auto& each) { return each.first == name; });
  return found == request.headers.end() ? nullptr : &found->second;
}

std::string webhook_fault(const HttpRequest& request, const std::string& service, WallTime now) {
  const std::string* id = header_of(request, "webhook-id");
  const std::string* timestamp = header_of(request, "webhook-timestamp");
  const std::string* signature = header_of(request, "webhook-signature");
  if (id == nullptr || timestamp == nullptr || signature == nullptr) return "has not all headers";
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (*timestamp != fmt::to_string(seconds)) {
    return fmt::format("says that it was sent at {} and was at {}", *timestamp, seconds);
  }
  std::string text = fmt::format("{}.{}.", *id, *timestamp);
  text += request.body->text();
  const std::string expected = "v1," + base64(hmac_sha256(webhook_key(service), text));
  if (*signature == expected) return "";
  return fmt::format("is signed {} and not {}", *signature, expected);
}

std::int64_t fact_count(std::string_view body) {
  std::int64_t count = 0;
  for (std::size_t at = body.find(number_key); at != std::string_view::npos;
       at = body.find(number_key, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace postrider::sim
