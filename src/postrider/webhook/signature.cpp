#include "postrider/webhook/signature.hpp"

#include <array>
#include <chrono>
#include <memory>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::string_view signature_prefix = "v1,";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct FreeMac {
  void operator()(EVP_MAC_CTX* mac) const { EVP_MAC_CTX_free(mac); }
};

EVP_MAC* hmac() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  POSTRIDER_ASSERT(mac != nullptr, "this OpenSSL has no HMAC");
  return mac;
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

/// Empty when the text is not base64.
std::string from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text),
                                     static_cast<int>(text.size()));
  if (length < 0) return {};
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return base64(bytes) == text ? bytes : std::string();
}

}  // namespace

Result<WebhookSecret> WebhookSecret::parse(std::string_view text) {
  if (text.starts_with(secret_prefix) && text.size() <= 128) {
    std::string key = from_base64(text.substr(secret_prefix.size()));
    if (key.size() >= key_bytes_min && key.size() <= key_bytes_max) {
      return WebhookSecret(std::move(key), std::string(text));
    }
  }
  return fail(Code::invalid_argument, "must be whsec_ and the base64 of {} to {} bytes",
              key_bytes_min, key_bytes_max);
}

WebhookSecret WebhookSecret::of_key(std::string_view key) {
  POSTRIDER_ASSERT(key.size() >= key_bytes_min && key.size() <= key_bytes_max, "a key of {} bytes",
                   key.size());
  return {std::string(key), std::string(secret_prefix) + base64(key)};
}

std::string WebhookSecret::sign(std::string_view id, std::string_view timestamp,
                                std::span<const std::string_view> body) const {
  const std::string head = fmt::format("{}.{}.", id, timestamp);
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> mac(EVP_MAC_CTX_new(hmac()));
  std::array<char, 7> hash = {"SHA256"};
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
      OSSL_PARAM_construct_end()};
  bool is_good = EVP_MAC_init(mac.get(), bytes_of(key_), key_.size(), parameters.data()) == 1 &&
                 EVP_MAC_update(mac.get(), bytes_of(head), head.size()) == 1;
  for (const std::string_view piece : body) {
    is_good = is_good && EVP_MAC_update(mac.get(), bytes_of(piece), piece.size()) == 1;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t length = 0;
  is_good = is_good && EVP_MAC_final(mac.get(), digest.data(), &length, digest.size()) == 1;
  POSTRIDER_ASSERT(is_good, "HMAC-SHA256 failed");
  return std::string(signature_prefix) +
         base64({reinterpret_cast<const char*>(digest.data()), length});
}

bool WebhookSecret::verify(std::string_view id, std::string_view timestamp, std::string_view body,
                           std::string_view signatures) const {
  const std::string right = sign(id, timestamp, body);
  bool is_right = false;
  while (!signatures.empty()) {
    const std::string_view one = signatures.substr(0, signatures.find(' '));
    is_right |=
        one.size() == right.size() && CRYPTO_memcmp(one.data(), right.data(), right.size()) == 0;
    signatures.remove_prefix(std::min(one.size() + 1, signatures.size()));
  }
  return is_right;
}

std::string webhook_timestamp(WallTime time) {
  return fmt::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

}  // namespace postrider
