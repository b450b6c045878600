#include <memory>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/server_target.hpp"

namespace postrider {

void add_serve_command(CliCommand program, CommandContext& context) {
  const auto config = std::make_shared<std::string>();
  CliCommand command = program.add_command("serve", "Run the server");
  command.add_option("--config", *config, "the configuration (./postrider.yaml if there)")
      .type_name("FILE");
  command.footer("Example: postrider serve --config postrider.yaml");
  command.callback([config, &context] {
    context.action_owns_signals = true;
    context.action = [config, &context] {
      const std::string file = config->empty() ? default_config_file() : *config;
      return static_cast<ExitCode>(context.serve(file, ServeOptions{context.environment}));
    };
  });
}

}  // namespace postrider
