#include <memory>
#include <ostream>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/server_target.hpp"
#include "postrider/app/config/registration_files.hpp"
#include "postrider/app/config/settings_loader.hpp"

namespace postrider {
namespace {

ExitCode print_mistakes(CommandContext& context, const ConfigErrors& errors) {
  for (const ConfigError& error : errors) {
    context.terminal.err << format_config_error(error) << '\n';
  }
  context.terminal.err << std::flush;
  return ExitCode::bad_input;
}

ExitCode check(const std::string& option, CommandContext& context) {
  const std::string file = option.empty() ? default_config_file() : option;
  if (file.empty()) {
    print_error(context, "no configuration: give --config FILE, or create ./postrider.yaml");
    return ExitCode::bad_input;
  }
  const auto settings = load_settings(file, context.environment);
  if (!settings) return print_mistakes(context, settings.error());
  const Catalog catalog(settings->engine.catalog);
  const auto registrations =
      load_registrations(*settings, [&catalog](const boost::json::value& document) -> Result<void> {
        TRY_VOID(catalog.kinds().parse(document));
        return {};
      });
  if (!registrations) return print_mistakes(context, registrations.error());
  const auto counted = [](std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
  };
  context.terminal.out << fmt::format("{}: ok, {}, {}\n", file,
                                      counted(settings->engine.streams.declared.size(), "stream"),
                                      counted(registrations->size(), "service"))
                       << std::flush;
  return ExitCode::ok;
}

}  // namespace

void add_check_config_command(CliCommand program, CommandContext& context) {
  const auto config = std::make_shared<std::string>();
  CliCommand command =
      program.add_command("check-config", "Report every mistake of a configuration");
  command.add_option("--config", *config, "the configuration (./postrider.yaml if there)")
      .type_name("FILE");
  command.footer("Example: postrider check-config --config postrider.yaml");
  command.callback([config, &context] {
    context.action = [config, &context] { return check(*config, context); };
  });
}

}  // namespace postrider
