#include "postrider/app/config/token_file.hpp"

#include <array>
#include <filesystem>

#include "postrider/app/config/setting_table.hpp"
#include "postrider/app/config/settings.hpp"
#include "postrider/app/config/text_file.hpp"
#include "postrider/app/config/text_rules.hpp"
#include "postrider/app/config/yaml_document.hpp"

namespace postrider {
namespace {

constexpr std::size_t secret_bytes = 24;

}  // namespace

std::string token_file_path(const Settings& settings) {
  // A database on a server has no folder of its own to lie in.
  if (is_postgres(settings.database)) return "postrider.tokens";
  return database_file(settings) + ".tokens";
}

Result<TokenFile> read_token_file(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return fail(Code::not_found, "there is no token file {}", path);
  }
  const auto document = parse_yaml_file(path);
  if (!document) {
    return fail(Code::invalid_argument, "{}", format_config_error(document.error().front()));
  }
  TokenFile tokens;
  SettingTable table;
  table.text("admin", tokens.admin, token_fault);
  table.text("producer", tokens.producer, token_fault);
  ConfigErrors errors;
  for (const YamlNode& child : document->children) {
    Complaints complaints(path, child.key, errors);
    if (const SettingTable::Setting* setting = table.find(child.key)) {
      setting->read(child, complaints);
    } else {
      complaints.add(child.key_line, "", unknown_key_fault(child.key, table.keys_below("")));
    }
  }
  if (!errors.empty()) {
    return fail(Code::invalid_argument, "{}", format_config_error(errors.front()));
  }
  if (tokens.admin.empty() || tokens.producer.empty()) {
    return fail(Code::invalid_argument,
                "{} lacks admin or producer; remove it to get new tokens at the next start", path);
  }
  return tokens;
}

Result<LoadedTokens> load_or_create_token_file(const std::string& path, const RandomBytes& random) {
  Result<TokenFile> present = read_token_file(path);
  if (present) return LoadedTokens{*std::move(present), false};
  if (present.error().code != Code::not_found) return std::unexpected(std::move(present).error());
  const TokenFile tokens{generate_token("admin", random), generate_token("producer", random)};
  TRY_VOID(write_private_file(
      path, fmt::format("# Made by postrider serve, whose configuration names no tokens.\n"
                        "admin: {}\nproducer: {}\n",
                        tokens.admin, tokens.producer)));
  return LoadedTokens{tokens, true};
}

std::string generate_token(std::string_view kind, const RandomBytes& random) {
  std::array<std::byte, secret_bytes> secret{};
  random(secret);
  std::string token = fmt::format("postrider_{}_", kind);
  for (const std::byte byte : secret) token += fmt::format("{:02x}", std::to_integer<int>(byte));
  return token;
}

}  // namespace postrider
