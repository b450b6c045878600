#pragma once

#include <string>

#include "postrider/app/cli/run_cli.hpp"

namespace postrider {

/// `postrider serve`: runs the server until SIGTERM or SIGINT. Gives the process's exit code.
int serve(const std::string& config_path, const ServeOptions& options);

}  // namespace postrider
