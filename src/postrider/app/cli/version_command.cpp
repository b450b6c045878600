#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include "postrider/app/cli/commands.hpp"

namespace postrider {

void add_version_command(CLI::App& program, CommandContext& context) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = program.add_subcommand("version", "Print the version");
  command->add_flag("--json", *json, "print JSON");
  command->footer("Example: postrider version");
  command->callback([json, &context] {
    context.action = [json, &context] {
      context.terminal.out << (*json ? "{\"version\":\"" POSTRIDER_VERSION "\"}\n"
                                     : "postrider " POSTRIDER_VERSION "\n")
                           << std::flush;
      return ExitCode::ok;
    };
  });
}

}  // namespace postrider
