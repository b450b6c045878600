#include <memory>
#include <ostream>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/completion.hpp"

namespace postrider {
namespace {

ExitCode print_completion(const std::string& shell, CommandContext& context) {
  CommandLine line("postrider", "");
  CommandContext unused = context;
  add_all_commands(line.program(), unused);
  const std::vector<CompletionEntry> entries = completion_entries(line.outline());
  const std::string script = shell == "bash"  ? bash_completion(entries)
                             : shell == "zsh" ? zsh_completion(entries)
                                              : fish_completion(entries);
  context.terminal.out << script << std::flush;
  return ExitCode::ok;
}

}  // namespace

void add_completion_command(CliCommand program, CommandContext& context) {
  const auto shell = std::make_shared<std::string>();
  CliCommand command = program.add_command("completion", "Print a completion script for a shell");
  command.add_option("shell", *shell, "the shell").required().one_of({"bash", "zsh", "fish"});
  command.footer("Example: source <(postrider completion bash)");
  command.callback([shell, &context] {
    context.action = [shell, &context] { return print_completion(*shell, context); };
  });
}

}  // namespace postrider
