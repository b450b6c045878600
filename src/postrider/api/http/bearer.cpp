#include "postrider/api/http/bearer.hpp"

#include <algorithm>

#include <boost/beast/core/string.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

constexpr std::string_view scheme = "bearer";

}  // namespace

std::optional<std::string_view> bearer_token(std::string_view authorization) {
  if (!boost::beast::iequals(authorization.substr(0, scheme.size()), scheme)) return {};
  authorization.remove_prefix(scheme.size());
  const std::size_t begin = authorization.find_first_not_of(' ');
  if (begin == 0 || begin == std::string_view::npos) return {};
  return authorization.substr(begin);
}

BearerTokens::BearerTokens(const std::vector<std::string>& admin,
                           const std::vector<std::string>& producers) {
  for (const std::string& token : admin) add(token, Role::admin);
  for (const std::string& token : producers) add(token, Role::producer);
}

void BearerTokens::add(std::string_view token, Role role) {
  // An empty setting must not let in everyone who sends an empty token.
  if (!token.empty()) known_.push_back({digest_of(token), role});
}

BearerTokens::Digest BearerTokens::digest_of(std::string_view token) {
  // SHA256() looks its algorithm up each time, which takes longer than the digest.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Digest digest;
  const int done = EVP_Digest(token.data(), token.size(), digest.data(), nullptr, sha256, nullptr);
  POSTRIDER_ASSERT(done == 1, "no memory for a digest");
  return digest;
}

Role BearerTokens::role_of(std::string_view token) const {
  const Digest digest = digest_of(token);
  Role role = Role::none;
  for (const Known& known : known_) {
    const bool same = CRYPTO_memcmp(digest.data(), known.digest.data(), digest.size()) == 0;
    role = same ? std::max(role, known.role) : role;
  }
  return role;
}

Result<void> BearerTokens::check(Role required,
                                 std::optional<std::string_view> authorization) const {
  if (required == Role::none) return {};
  const auto token = authorization ? bearer_token(*authorization) : std::nullopt;
  if (!token) {
    return fail(Code::unauthorized,
                "this needs a token: send it in the header \"Authorization: Bearer TOKEN\"");
  }
  const Role role = role_of(*token);
  if (role == Role::none) {
    return fail(Code::unauthorized,
                "the token of the Authorization header is not one of this server's: compare it "
                "with the configuration's tokens section");
  }
  if (role < required) {
    return fail(Code::forbidden, "this needs an admin token, and the one sent is a producer's");
  }
  return {};
}

}  // namespace postrider
