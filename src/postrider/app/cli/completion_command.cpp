#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/completion.hpp"

namespace postrider {
namespace {

ExitCode print_completion(const std::string& shell, CommandContext& context) {
  CLI::App program("", "postrider");
  CommandContext unused = context;
  add_all_commands(program, unused);
  const std::vector<CompletionEntry> entries = completion_entries(program);
  const std::string script = shell == "bash"  ? bash_completion(entries)
                             : shell == "zsh" ? zsh_completion(entries)
                                              : fish_completion(entries);
  context.terminal.out << script << std::flush;
  return ExitCode::ok;
}

}  // namespace

void add_completion_command(CLI::App& program, CommandContext& context) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("completion", "Print a completion script for a shell");
  command->add_option("shell", *shell, "the shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example: source <(postrider completion bash)");
  command->callback([shell, &context] {
    context.action = [shell, &context] { return print_completion(*shell, context); };
  });
}

}  // namespace postrider
