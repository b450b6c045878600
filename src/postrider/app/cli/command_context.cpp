#include "postrider/app/cli/command_context.hpp"

#include <ostream>

namespace postrider {

void print_error(CommandContext& context, const std::string& message) {
  context.terminal.err << (context.terminal.colour_err() ? "\x1b[31merror:\x1b[0m " : "error: ")
                       << message << '\n'
                       << std::flush;
}

ExitCode report(CommandContext& context, const Error& error) {
  if (error.code == Code::stopping) {
    context.terminal.err << "interrupted\n" << std::flush;
    return ExitCode::interrupted;
  }
  print_error(context, error.detail);
  for (const FieldError& field : error.fields) {
    context.terminal.err << "  " << field.pointer << (field.pointer.empty() ? "" : ": ")
                         << field.detail << '\n';
  }
  context.terminal.err << std::flush;
  return error.code == Code::invalid_argument ? ExitCode::bad_input : ExitCode::failed;
}

}  // namespace postrider
