#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "postrider/drivers/curl/curl_exchange.hpp"
#include "postrider/app/cli/exit_code.hpp"
#include "postrider/app/cli/run_cli.hpp"

namespace postrider {

/// Where a command reads and prints. Colour and progress are for eyes only, so a command asks
/// first whether a stream is a terminal.
struct Terminal {
  int in;  ///< a descriptor
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour_allowed = false;  ///< NO_COLOR is not set

  [[nodiscard]] bool colour_out() const { return colour_allowed && out_is_terminal; }
  [[nodiscard]] bool colour_err() const { return colour_allowed && err_is_terminal; }
};

/// Everything that a command may touch. Outlives the command line's parser.
struct CommandContext {
  Environment environment;
  Terminal terminal;
  ServeHook serve;
  Exchange exchange = {};                    ///< HTTP
  std::function<bool(Duration)> pause = {};  ///< false when a signal ended it early
  std::function<bool()> interrupted = {};    ///< whether a signal asks to stop
  std::function<void()> wait_for_signal = {};

  // Set by the parser:
  std::function<ExitCode()> action = {};  ///< the command that was chosen
  bool action_owns_signals = false;       ///< it installs signal handlers of its own
};

/// Prints `error: …` to standard error.
void print_error(CommandContext& context, const std::string& message);

/// Prints an error with its fields, one line each, and gives the exit code for it.
ExitCode report(CommandContext& context, const Error& error);

}  // namespace postrider
