#include <memory>
#include <ostream>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/problem.hpp"
#include "postrider/app/cli/server_target.hpp"

namespace postrider {
namespace {

struct HealthcheckOptions {
  TargetOptions target;
  bool quiet = false;
};

ExitCode check(const HealthcheckOptions& options, CommandContext& context) {
  const Result<std::string> url =
      find_url(options.target, Listener::public_api, context.environment);
  if (!url) return report(context, url.error());
  ApiRequest request;
  request.url = *url + "/readyz";
  request.timeout = std::chrono::seconds{10};
  const Result<ApiAnswer> answer = context.exchange(request);
  if (!answer) return report(context, answer.error());
  if (!is_success(*answer)) return report(context, problem_of(*answer));
  if (!options.quiet) context.terminal.out << *url << ": ready\n" << std::flush;
  return ExitCode::ok;
}

}  // namespace

void add_healthcheck_command(CliCommand program, CommandContext& context) {
  const auto options = std::make_shared<HealthcheckOptions>();
  CliCommand command =
      program.add_command("healthcheck", "Ask a server whether it is ready; exit code 0 or 1");
  command.add_option("--url", options->target.url,
                     "either listener, such as http://127.0.0.1:8480");
  command
      .add_option("--config", options->target.config,
                  "take the address from this configuration (./postrider.yaml if there)")
      .type_name("FILE");
  command.add_flag("--quiet", options->quiet, "print nothing when it is");
  command.footer("Example: postrider healthcheck --url http://127.0.0.1:8480");
  command.callback([options, &context] {
    context.action = [options, &context] { return check(*options, context); };
  });
}

}  // namespace postrider
