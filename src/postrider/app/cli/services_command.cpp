#include <functional>
#include <memory>
#include <ostream>

#include "postrider/app/cli/api_client.hpp"
#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/service_table.hpp"

namespace postrider {
namespace {

struct ServicesOptions {
  TargetOptions target;
  std::string id;
  bool json = false;
};

std::string service_path(const ServicesOptions& options) {
  return "/v1/services/" + percent_encoded(options.id);
}

ExitCode list(const ServicesOptions& options, CommandContext& context) {
  const Result<std::string> body = ask_admin(options.target, context, "GET", "/v1/services");
  if (!body) return report(context, body.error());
  if (options.json) {
    context.terminal.out << *body << '\n' << std::flush;
    return ExitCode::ok;
  }
  const Result<std::string> table = service_table(*body, context.terminal.colour_out());
  if (!table) return report(context, table.error());
  context.terminal.out << *table << std::flush;
  return ExitCode::ok;
}

ExitCode show(const ServicesOptions& options, CommandContext& context) {
  const Result<std::string> body = ask_admin(options.target, context, "GET", service_path(options));
  if (!body) return report(context, body.error());
  context.terminal.out << (options.json ? *body : indented_json(*body)) << '\n' << std::flush;
  return ExitCode::ok;
}

ExitCode erase(const ServicesOptions& options, CommandContext& context) {
  const Result<std::string> body =
      ask_admin(options.target, context, "DELETE", service_path(options));
  if (!body) return report(context, body.error());
  if (!options.json)
    context.terminal.out << "service " << options.id << ": deleted\n" << std::flush;
  return ExitCode::ok;
}

/// pause, resume and retry: the server answers with the service's new state.
ExitCode order(const ServicesOptions& options, CommandContext& context, const std::string& verb) {
  const Result<std::string> body =
      ask_admin(options.target, context, "POST", service_path(options) + "/" + verb);
  if (!body) return report(context, body.error());
  if (options.json) {
    context.terminal.out << *body << '\n' << std::flush;
    return ExitCode::ok;
  }
  const std::string state = service_state(*body);
  context.terminal.out << fmt::format("service {}: {}\n", options.id,
                                      state.empty() ? verb + " accepted" : state)
                       << std::flush;
  return ExitCode::ok;
}

/// Fails when the receiver does.
ExitCode ping(const ServicesOptions& options, CommandContext& context) {
  const Result<std::string> body =
      ask_admin(options.target, context, "POST", service_path(options) + "/ping");
  if (!body) return report(context, body.error());
  const PingOutcome outcome = ping_outcome(*body);
  context.terminal.out << (options.json ? *body
                                        : fmt::format("service {}: {}", options.id, outcome.text))
                       << '\n'
                       << std::flush;
  return outcome.is_good ? ExitCode::ok : ExitCode::failed;
}

using Run = std::function<ExitCode(const ServicesOptions&, CommandContext&)>;

void add_service_command(CliCommand services, CommandContext& context, const char* name,
                         const char* description, const Run& run) {
  const auto options = std::make_shared<ServicesOptions>();
  CliCommand command = services.add_command(name, description);
  const bool about_one = std::string_view(name) != "list";
  if (about_one) command.add_option("id", options->id, "the service").required();
  command.add_flag("--json", options->json, "print the server's answer");
  add_target_options(command, Listener::admin, options->target);
  command.footer(fmt::format("Example: postrider services {}{}", name, about_one ? " irc" : ""));
  command.callback([options, &context, run] {
    context.action = [options, &context, run] { return run(*options, context); };
  });
}

}  // namespace

void add_services_command(CliCommand program, CommandContext& context) {
  CliCommand services = program.add_command("services", "See and change receivers");
  services.require_command();
  services.footer("Example: postrider services list");
  add_service_command(services, context, "list", "Print all services and their state", list);
  add_service_command(services, context, "show", "Print one service", show);
  add_services_put_command(services, context);
  add_service_command(services, context, "delete", "Remove a service and what it waits for", erase);
  const auto add_order = [&](const std::string& verb, const char* description) {
    add_service_command(services, context, verb.c_str(), description,
                        [verb](const ServicesOptions& options, CommandContext& chosen) {
                          return order(options, chosen, verb);
                        });
  };
  add_order("pause", "Stop delivering to a service; its facts wait");
  add_order("resume", "Deliver to a paused service again");
  add_service_command(services, context, "ping", "Send a receiver a request that carries nothing",
                      ping);
  add_order("retry", "Try a service that is down now, not when its backoff ends");
}

}  // namespace postrider
