#include "postrider/app/cli/run_cli.hpp"

#include <iostream>

#include <unistd.h>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/interrupt.hpp"

namespace postrider {
namespace {

constexpr const char* program_footer =
    "Exit codes: 0 done; 1 the server said no or could not be reached; 2 wrong arguments, "
    "configuration or input; 3 interrupted.\n"
    "Commands find the server by flags, then POSTRIDER_URL, POSTRIDER_ADMIN_URL and "
    "POSTRIDER_TOKEN, then --config FILE (./postrider.yaml if there), then defaults.\n"
    "Example: postrider serve --config postrider.yaml";

}  // namespace

void add_all_commands(CliCommand program, CommandContext& context) {
  program.add_version_flag("--version", "postrider " POSTRIDER_VERSION);
  program.require_command();
  program.footer(program_footer);
  add_serve_command(program, context);
  add_check_config_command(program, context);
  add_append_command(program, context);
  add_tail_command(program, context);
  add_services_command(program, context);
  add_quarantine_command(program, context);
  add_db_command(program, context);
  add_outbox_command(program, context);
  add_receive_command(program, context);
  add_healthcheck_command(program, context);
  add_version_command(program, context);
  add_completion_command(program, context);
}

ExitCode choose_command(std::vector<std::string> arguments, CommandContext& context) {
  CommandLine line("postrider", "Durable, ordered delivery of facts to application services.");
  add_all_commands(line.program(), context);
  return line.parse(std::move(arguments), context.terminal.out, context.terminal.err);
}

ExitCode run_command_line(std::vector<std::string> arguments, CommandContext& context) {
  const ExitCode code = choose_command(std::move(arguments), context);
  return context.action ? context.action() : code;
}

int run_cli(int argc, const char* const* argv, const Environment& environment,
            const ServeHook& serve) {
  const auto no_colour = environment.find("NO_COLOR");
  const Terminal terminal{STDIN_FILENO,
                          std::cout,
                          std::cerr,
                          ::isatty(STDOUT_FILENO) == 1,
                          ::isatty(STDERR_FILENO) == 1,
                          no_colour == environment.end() || no_colour->second.empty()};
  CommandContext context{environment, terminal, serve};
  std::vector<std::string> arguments;
  for (int index = 1; index < argc; ++index) arguments.emplace_back(argv[index]);
  const ExitCode code = choose_command(std::move(arguments), context);
  if (!context.action) return static_cast<int>(code);
  if (context.action_owns_signals) return static_cast<int>(context.action());

  const InterruptGuard guard;
  context.interrupted = [&guard] { return guard.interrupted(); };
  context.pause = [&guard](Duration duration) { return guard.pause(duration); };
  context.wait_for_signal = [&guard] { guard.wait(); };
  context.exchange = curl_exchange(context.interrupted);
  return static_cast<int>(context.action());
}

}  // namespace postrider
