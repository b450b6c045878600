#include "postrider/app/cli/server_target.hpp"

#include <filesystem>

#include "postrider/app/config/listen_address.hpp"
#include "postrider/app/config/settings_loader.hpp"
#include "postrider/app/config/token_file.hpp"

namespace postrider {
namespace {

std::string variable(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

/// The token for a listener: that of the configuration, else that of the token file.
Result<std::string> configured_token(const Settings& settings, Listener listener) {
  const TokenSection& tokens = settings.tokens;
  if (listener == Listener::admin && !tokens.admin.empty()) return tokens.admin;
  if (listener == Listener::public_api && !tokens.producers.empty()) return tokens.producers[0];
  const Result<TokenFile> file = read_token_file(token_file_path(settings));
  if (file) return listener == Listener::admin ? file->admin : file->producer;
  if (file.error().code == Code::not_found) return std::string();
  return std::unexpected(file.error());
}

Result<std::string> configured_url(const Settings& settings, Listener listener) {
  const std::string& listen =
      listener == Listener::admin ? settings.admin_listen : settings.public_listen;
  TRY(const ListenAddress address, parse_listen_address(listen));
  if (address.port == 0) {
    return fail(Code::invalid_argument,
                "the configuration lets the server choose its port; name the URL with --{}",
                listener == Listener::admin ? "admin-url" : "url");
  }
  return address.local_url();
}

Result<Settings> settings_for(const TargetOptions& options, const Environment& environment) {
  const std::string file = options.config.empty() ? default_config_file() : options.config;
  auto settings = load_settings(file, environment);
  if (!settings) return std::unexpected(configuration_error(settings.error()));
  return *std::move(settings);
}

}  // namespace

std::string default_config_file() {
  constexpr const char* file = "postrider.yaml";
  std::error_code ignored;
  return std::filesystem::exists(file, ignored) ? file : "";
}

Error configuration_error(const ConfigErrors& errors) {
  Error error{Code::invalid_argument, fmt::format("the configuration has {} mistake{}",
                                                  errors.size(), errors.size() == 1 ? "" : "s")};
  for (const ConfigError& mistake : errors) {
    error.fields.push_back({"", format_config_error(mistake)});
  }
  return error;
}

void add_target_options(CliCommand command, Listener listener, TargetOptions& options) {
  const bool admin = listener == Listener::admin;
  command.add_option(admin ? "--admin-url" : "--url", options.url,
                     admin ? "the admin listener, such as http://127.0.0.1:8481"
                           : "the public listener, such as http://127.0.0.1:8480");
  command.add_option("--token", options.token, admin ? "the admin token" : "a producer's token");
  command
      .add_option("--config", options.config,
                  "take address and token from this configuration (./postrider.yaml if there)")
      .type_name("FILE");
}

Result<Target> find_target(const TargetOptions& options, Listener listener,
                           const Environment& environment) {
  Target target{"", options.token};
  if (target.token.empty()) target.token = variable(environment, "POSTRIDER_TOKEN");
  if (target.token.empty()) {
    TRY(const Settings settings, settings_for(options, environment));
    TRY(target.token, configured_token(settings, listener));
  }
  if (target.token.empty()) {
    return fail(Code::invalid_argument,
                "no token: give --token, POSTRIDER_TOKEN, or --config with the server's "
                "configuration");
  }
  TRY(target.url, find_url(options, listener, environment));
  return target;
}

Result<std::string> find_url(const TargetOptions& options, Listener listener,
                             const Environment& environment) {
  std::string url = options.url;
  if (url.empty()) {
    url = variable(environment,
                   listener == Listener::admin ? "POSTRIDER_ADMIN_URL" : "POSTRIDER_URL");
  }
  if (url.empty()) {
    TRY(const Settings settings, settings_for(options, environment));
    TRY(url, configured_url(settings, listener));
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace postrider
