#pragma once

#include <string>

#include "postrider/app/cli/command_line.hpp"
#include "postrider/app/config/config_error.hpp"
#include "postrider/app/config/environment.hpp"
#include "postrider/base/result.hpp"

namespace postrider {

/// The two listeners of a server.
enum class Listener { public_api, admin };

/// How a command line names the server. What is empty is looked for elsewhere.
struct TargetOptions {
  std::string url;
  std::string token;
  std::string config;
};

struct Target {
  std::string url;  ///< without a slash at its end
  std::string token;
};

/// Adds --url or --admin-url, --token and --config.
void add_target_options(CliCommand command, Listener listener, TargetOptions& options);

/// Looks for URL and token in this order: flags, environment (POSTRIDER_URL, POSTRIDER_ADMIN_URL,
/// POSTRIDER_TOKEN), the configuration (with the token file beside its database), defaults.
/// Errors: `invalid_argument` when there is no token, and for a broken configuration, with its
/// mistakes in `fields`.
Result<Target> find_target(const TargetOptions& options, Listener listener,
                           const Environment& environment);

/// The URL alone, for what needs no token.
Result<std::string> find_url(const TargetOptions& options, Listener listener,
                             const Environment& environment);

/// The file to use when none is named: ./postrider.yaml when it exists, else none.
std::string default_config_file();

/// All mistakes of a configuration as one error.
Error configuration_error(const ConfigErrors& errors);

}  // namespace postrider
