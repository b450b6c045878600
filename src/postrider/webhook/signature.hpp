#pragma once

#include <span>
#include <string>
#include <string_view>

#include "postrider/base/result.hpp"
#include "postrider/base/time.hpp"

namespace postrider {

/// The key of a webhook's signatures. Source: Standard Webhooks, "Signature scheme": symmetric, a
/// secret is "whsec_" and 24 to 64 random bytes in base64.
class WebhookSecret {
 public:
  static constexpr std::size_t key_bytes_min = 24;
  static constexpr std::size_t key_bytes_max = 64;

  /// Errors: `invalid_argument`, which never holds the secret.
  static Result<WebhookSecret> parse(std::string_view text);
  /// `key`: 24 to 64 bytes.
  static WebhookSecret of_key(std::string_view key);

  [[nodiscard]] const std::string& text() const { return text_; }

  /// The value of `webhook-signature`: "v1," and the base64 of the HMAC-SHA256 of
  /// "ID.TIMESTAMP.BODY".
  [[nodiscard]] std::string sign(std::string_view id, std::string_view timestamp,
                                 std::span<const std::string_view> body) const;
  [[nodiscard]] std::string sign(std::string_view id, std::string_view timestamp,
                                 std::string_view body) const {
    return sign(id, timestamp, std::span(&body, 1));
  }

  /// Whether `signatures`, separated by blanks, hold the right one. Takes as long for a wrong one.
  [[nodiscard]] bool verify(std::string_view id, std::string_view timestamp, std::string_view body,
                            std::string_view signatures) const;

 private:
  WebhookSecret(std::string key, std::string text) : key_(std::move(key)), text_(std::move(text)) {}

  std::string key_;
  std::string text_;
};

/// Whole seconds since 1970, as `webhook-timestamp` has them.
std::string webhook_timestamp(WallTime time);

}  // namespace postrider
