#include <functional>
#include <memory>
#include <ostream>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/server_target.hpp"
#include "postrider/app/config/settings_loader.hpp"
#include "postrider/app/config/text_rules.hpp"
#include "postrider/base/quantity.hpp"
#include "postrider/drivers/postgres/outbox_connection.hpp"
#include "postrider/outbox/outbox_table.hpp"

namespace postrider {
namespace {

struct OutboxPlace {
  std::string url;
  std::string config;
};

using OutboxAction = std::function<Result<std::string>(SqlConnection&)>;

/// Says which database when none was named.
Result<std::string> url_of(const OutboxPlace& place, const Environment& environment) {
  const bool is_named = !place.url.empty();
  const std::string file = place.config.empty() ? default_config_file() : place.config;
  std::string url = place.url;
  if (!is_named && !file.empty()) {
    const auto settings = load_settings(file, environment);
    if (!settings) return fail(Code::invalid_argument, "{}", settings.error().front().message);
    url = settings->outbox_url;
  }
  if (url.empty()) {
    return fail(Code::invalid_argument,
                "which database? give postgresql://USER@HOST/NAME, or --config FILE with"
                " outbox.url");
  }
  const std::string fault = outbox_fault(url);
  if (!fault.empty()) return fail(Code::invalid_argument, "URL {}", fault);
  return url;
}

ExitCode run(const OutboxPlace& place, const OutboxAction& action, CommandContext& context) {
  auto url = url_of(place, context.environment);
  if (!url) return report(context, url.error());
  const auto connection = open_outbox_connection(*std::move(url));
  if (!connection) return report(context, connection.error());
  const auto done = action(**connection);
  if (!done) return report(context, done.error());
  context.terminal.out << *done << std::flush;
  return ExitCode::ok;
}

Result<std::string> install(SqlConnection& connection) {
  TRY_VOID(transact(connection, [&] { return connection.execute_once(outbox_definition()); }));
  return "installed; now `SELECT postrider.append('STREAM', '{…}', 'KEY')` in your transactions,"
         " and the URL as outbox.url in the configuration of postrider\n"
         "other roles than this one need: GRANT USAGE ON SCHEMA postrider TO ROLE\n";
}

Result<std::string> retry(SqlConnection& connection) {
  TRY_VOID(read_outbox_identity(connection));
  TRY(const std::int64_t rows, retry_refused_rows(connection));
  return fmt::format("{} rows wait again\n", rows);
}

Result<std::string> show_status(SqlConnection& connection) {
  TRY_VOID(read_outbox_identity(connection));
  TRY(const OutboxStatus status, read_outbox_status(connection));
  std::string text = fmt::format("waiting {}", status.waiting);
  if (status.waiting > 0) {
    text += fmt::format(", the oldest for {}",
                        format_duration(std::chrono::milliseconds(status.oldest_ms)));
  }
  text += fmt::format("\nrefused {}\n", status.refused);
  for (const RefusedOutboxRow& row : status.refused_rows) {
    text += fmt::format("  {} {}: {}\n", row.id, row.stream, row.reason);
  }
  return text;
}

void add_action(CliCommand group, CommandContext& context, const char* name, const char* help,
                OutboxAction action) {
  const auto place = std::make_shared<OutboxPlace>();
  CliCommand command = group.add_command(name, help);
  command.add_option("url", place->url, "postgresql://USER:PASSWORD@HOST/NAME");
  command.add_option("--config", place->config, "take outbox.url from there").type_name("FILE");
  command.callback([place, action = std::move(action), &context] {
    context.action = [place, action, &context] { return run(*place, action, context); };
  });
}

}  // namespace

void add_outbox_command(CliCommand program, CommandContext& context) {
  CliCommand group =
      program.add_command("outbox", "Append from inside an application's own transactions");
  group.require_command();
  add_action(group, context, "install", "Make the outbox in the application's database", install);
  add_action(group, context, "status", "Show what waits there and what was refused", show_status);
  add_action(group, context, "retry", "Let refused facts wait again", retry);
  CliCommand sql = group.add_command("sql", "Print what install runs, for a migration");
  sql.callback([&context] {
    context.action = [&context] {
      context.terminal.out << outbox_definition() << std::flush;
      return ExitCode::ok;
    };
  });
  group.footer("Example: postrider outbox install postgresql://app@localhost/shop");
}

}  // namespace postrider
