#include <memory>
#include <ostream>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/progress_bar.hpp"
#include "postrider/app/database/installation_copy.hpp"

namespace postrider {
namespace {

ExitCode copy(const InstallationCopy& copy, CommandContext& context) {
  std::unique_ptr<ProgressBar> bar;
  const CopyWatch watch = [&](const CopyProgress& progress) {
    if (!bar && context.terminal.err_is_terminal) {
      const auto total = static_cast<std::uint64_t>(progress.total_rows);
      bar = std::make_unique<ProgressBar>(context.terminal.err, total);
    }
    if (bar) {
      bar->advance(static_cast<std::uint64_t>(progress.copied_rows),
                   fmt::format("{}  {} of {} rows", progress.table, progress.copied_rows,
                               progress.total_rows));
    }
    return !context.interrupted || !context.interrupted();
  };
  const auto copied = copy_installation(copy, watch);
  bar.reset();
  if (!copied) {
    if (copied.error().code == Code::stopping) {
      print_error(context, copied.error().detail);
      return ExitCode::interrupted;
    }
    return report(context, copied.error());
  }
  context.terminal.out << fmt::format(
                              "{} rows {}; now say `database:` and the URL in the configuration\n",
                              copied->rows,
                              copied->was_complete
                                  ? "were copied before, and compared: both hold the same"
                                  : "copied and compared")
                       << std::flush;
  return ExitCode::ok;
}

}  // namespace

void add_db_command(CliCommand program, CommandContext& context) {
  const auto options = std::make_shared<InstallationCopy>();
  options->schema = "postrider";
  CliCommand group = program.add_command("db", "Work on databases while no server runs");
  group.require_command();
  CliCommand command = group.add_command("copy", "Copy an SQLite installation into PostgreSQL");
  command.add_option("from", options->from, "sqlite:PATH").required();
  command.add_option("to", options->to, "postgresql://USER:PASSWORD@HOST/NAME").required();
  command.add_option("--schema", options->schema, "where the tables are to be")
      .type_name("NAME")
      .show_default();
  command.footer(
      "Example: postrider db copy sqlite:./postrider.db postgresql://postrider@db/postrider\n"
      "What was interrupted goes on where it ended; until it is finished no server starts there.");
  command.callback([options, &context] {
    context.action = [options, &context] { return copy(*options, context); };
  });
}

}  // namespace postrider
