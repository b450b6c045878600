#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "postrider/base/result.hpp"

namespace postrider {

struct Settings;

/// Fills the bytes with cryptographically random ones.
using RandomBytes = std::function<void(std::span<std::byte>)>;

/// The tokens of a server whose configuration names none: a YAML file of its own beside the
/// database, readable by its owner only.
struct TokenFile {
  std::string admin;
  std::string producer;
  bool operator==(const TokenFile&) const = default;
};

/// `<database path>.tokens`.
std::string token_file_path(const Settings& settings);

/// Errors: `not_found` when there is none; `invalid_argument` with file and line when it holds
/// something else.
Result<TokenFile> read_token_file(const std::string& path);

/// Reads the file, or makes it with new tokens. Errors: as `read_token_file`, `storage_failed`.
struct LoadedTokens {
  TokenFile tokens;
  bool created = false;  ///< the one time at which they may be shown
};
Result<LoadedTokens> load_or_create_token_file(const std::string& path, const RandomBytes& random);

/// "postrider_<kind>_" and 48 hexadecimal digits.
std::string generate_token(std::string_view kind, const RandomBytes& random);

}  // namespace postrider
