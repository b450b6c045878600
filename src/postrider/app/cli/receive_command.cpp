#include <memory>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/receive/receiver.hpp"
#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

struct ReceiveOptions {
  std::string listen = "127.0.0.1:9000";
  std::string delay = "0ms";
  std::string secret;
  ReceiverSettings receiver;
};

WallTime system_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

ExitCode receive(const ReceiveOptions& options, CommandContext& context) {
  ReceiverSettings settings = options.receiver;
  const Result<ListenAddress> listen = parse_listen_address(options.listen);
  if (!listen) return report(context, Error(listen.error()).with("--listen"));
  const Result<Duration> delay = parse_duration(options.delay);
  if (!delay) return report(context, Error(delay.error()).with("--delay"));
  if (!options.secret.empty()) {
    auto secret = WebhookSecret::parse(options.secret);
    if (!secret) return report(context, Error(secret.error()).with("--secret"));
    settings.secret = *std::move(secret);
  }
  settings.listen = *listen;
  settings.delay = *delay;
  settings.wall_now = system_time;
  settings.colour = context.terminal.colour_out();
  const Result<int> code = run_receiver(std::move(settings), context.wait_for_signal);
  if (!code) return report(context, code.error());
  return static_cast<ExitCode>(*code);
}

void add_failure_options(CliCommand command, ReceiverSettings& receiver) {
  command.add_option("--fail-first", receiver.fail_first, "fail so many requests at the start");
  command.add_option("--fail-every", receiver.fail_every, "fail one of so many requests");
  command.add_option("--fail-status", receiver.fail_status, "what a failed request is answered")
      .range(300, 599)
      .type_name("STATUS")
      .show_default();
  command.add_option("--drop-every", receiver.drop_every,
                     "close the connection of one of so many requests without an answer");
}

}  // namespace

void add_receive_command(CliCommand program, CommandContext& context) {
  const auto options = std::make_shared<ReceiveOptions>();
  CliCommand command = program.add_command(
      "receive", "Run a receiver for trying things: prints what it gets, fails when told to");
  command.add_option("--listen", options->listen, "where to listen; port 0 takes a free one")
      .type_name("IP:PORT")
      .show_default();
  command.add_option("--hs-token", options->receiver.hs_token, "refuse requests without it")
      .type_name("TOKEN");
  command
      .add_option("--secret", options->secret,
                  "a webhook's, as `services put` shows it: refuse what it did not sign")
      .type_name("whsec_…");
  add_failure_options(command, options->receiver);
  command.add_option("--delay", options->delay, "wait before each answer")
      .type_name("DURATION")
      .show_default();
  command.add_option("--log", options->receiver.log_file, "append a JSON line a transaction here")
      .type_name("FILE");
  command.add_flag("--quiet", options->receiver.quiet, "print no line for a transaction");
  command.add_flag("--json", options->receiver.json, "print JSON lines");
  command.footer("Example: postrider receive --listen 127.0.0.1:9000 --fail-every 3");
  command.callback([options, &context] {
    context.action = [options, &context] { return receive(*options, context); };
  });
}

}  // namespace postrider
