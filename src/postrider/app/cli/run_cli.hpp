#pragma once

#include <functional>
#include <string>

#include "postrider/app/config/environment.hpp"

namespace postrider {

struct ServeOptions {
  Environment environment;  ///< for `load_settings`
};

/// Runs the server until it is asked to stop; gives the exit code. The path is empty when there is
/// no configuration file: defaults and environment.
using ServeHook = std::function<int(const std::string& config_path, const ServeOptions& options)>;

/// Runs the program: reads the command line, runs its command, gives the exit code (`ExitCode`).
int run_cli(int argc, const char* const* argv, const Environment& environment,
            const ServeHook& serve);

}  // namespace postrider
