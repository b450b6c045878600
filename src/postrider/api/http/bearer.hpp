#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/result.hpp"

namespace postrider {

/// What a caller may do. Each role may do what those before it may.
enum class Role { none, producer, admin };

/// The tokens that a listener accepts. Keeps digests only. Safe to use from several threads.
class BearerTokens {
 public:
  BearerTokens() = default;
  BearerTokens(const std::vector<std::string>& admin, const std::vector<std::string>& producers);

  /// Checks the value of an Authorization header. Errors: `unauthorized` when there is none, it is
  /// not "Bearer TOKEN" or the token is not known; `forbidden` when the token's role is smaller.
  /// Takes the same time whichever token it is.
  [[nodiscard]] Result<void> check(Role required,
                                   std::optional<std::string_view> authorization) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Known {
    Digest digest;
    Role role;
  };
  void add(std::string_view token, Role role);
  static Digest digest_of(std::string_view token);
  [[nodiscard]] Role role_of(std::string_view token) const;

  std::vector<Known> known_;
};

/// The token of "Bearer TOKEN"; empty when the header is something else.
std::optional<std::string_view> bearer_token(std::string_view authorization);

}  // namespace postrider
