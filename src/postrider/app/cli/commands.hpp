#pragma once

#include <string>
#include <vector>

#include "postrider/app/cli/command_context.hpp"
#include "postrider/app/cli/command_line.hpp"

namespace postrider {

// Each adds one command to the program. When the command is chosen, `context.action` runs it.
void add_serve_command(CliCommand program, CommandContext& context);
void add_check_config_command(CliCommand program, CommandContext& context);
void add_append_command(CliCommand program, CommandContext& context);
void add_tail_command(CliCommand program, CommandContext& context);
void add_services_command(CliCommand program, CommandContext& context);
void add_quarantine_command(CliCommand program, CommandContext& context);
void add_db_command(CliCommand program, CommandContext& context);
void add_outbox_command(CliCommand program, CommandContext& context);
void add_receive_command(CliCommand program, CommandContext& context);
void add_healthcheck_command(CliCommand program, CommandContext& context);
void add_version_command(CliCommand program, CommandContext& context);
void add_completion_command(CliCommand program, CommandContext& context);

/// Below `services`: put has a file of its own.
void add_services_put_command(CliCommand services, CommandContext& context);

/// The whole program. `context` must outlive it.
void add_all_commands(CliCommand program, CommandContext& context);

/// Parses the arguments (without the program's name) and prints what is to be said of them. The
/// command that they ask for, if any, is in `context.action`.
ExitCode choose_command(std::vector<std::string> arguments, CommandContext& context);

/// The same, and runs the command.
ExitCode run_command_line(std::vector<std::string> arguments, CommandContext& context);

}  // namespace postrider
