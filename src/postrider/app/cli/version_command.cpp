#include <memory>
#include <ostream>

#include "postrider/app/cli/commands.hpp"

namespace postrider {

void add_version_command(CliCommand program, CommandContext& context) {
  const auto json = std::make_shared<bool>(false);
  CliCommand command = program.add_command("version", "Print the version");
  command.add_flag("--json", *json, "print JSON");
  command.footer("Example: postrider version");
  command.callback([json, &context] {
    context.action = [json, &context] {
      context.terminal.out << (*json ? "{\"version\":\"" POSTRIDER_VERSION "\"}\n"
                                     : "postrider " POSTRIDER_VERSION "\n")
                           << std::flush;
      return ExitCode::ok;
    };
  });
}

}  // namespace postrider
