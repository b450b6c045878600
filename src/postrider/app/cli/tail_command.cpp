#include <memory>
#include <ostream>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/fact_follower.hpp"
#include "postrider/app/cli/fact_page.hpp"

namespace postrider {
namespace {

// The page that a server gives whatever its settings are.
constexpr std::uint64_t sure_page_facts = 100;

struct TailOptions {
  TargetOptions target;
  std::string stream = "events";
  std::string after;
  bool follow = false;
  std::uint64_t limit = 0;  // 0: none
  bool json = false;
};

class Tail {
 public:
  Tail(const TailOptions& options, CommandContext& context, ApiClient client)
      : options_(options), context_(context), client_(std::move(client)), token_(options.after) {}

  Result<void> run() {
    if (options_.follow && options_.after.empty()) {
      TRY(token_, newest_position());
    } else {
      TRY_VOID(read_pages());
    }
    if (!options_.follow || is_done()) return {};
    FactFollower follower(context_, client_, path("/follow"));
    return follower.run(token_, [this](const ReadFact& fact) {
      print(fact);
      return !is_done();
    });
  }

 private:
  [[nodiscard]] bool is_done() const { return options_.limit != 0 && printed_ >= options_.limit; }
  [[nodiscard]] std::string path(std::string_view rest) const {
    return fmt::format("/v1/streams/{}{}", percent_encoded(options_.stream), rest);
  }

  Result<std::string> newest_position() {
    ApiRequest request;
    request.url = path("/position");
    TRY(const ApiAnswer answer, client_.send(request));
    return parse_position(answer.body);
  }

  Result<void> read_pages() {
    while (!is_done()) {
      ApiRequest request;
      request.url = path("/facts");
      std::string_view separator = "?";
      if (!token_.empty()) {
        request.url += fmt::format("?after={}", percent_encoded(token_));
        separator = "&";
      }
      const std::uint64_t left = options_.limit - printed_;
      if (options_.limit != 0 && left < sure_page_facts) {
        request.url += fmt::format("{}limit={}", separator, left);
      }
      TRY(const ApiAnswer answer, client_.send(request));
      TRY(const FactPage page, parse_fact_page(answer.body));
      for (const ReadFact& fact : page.facts) {
        if (!is_done()) print(fact);
      }
      token_ = page.token;
      if (page.facts.empty()) return {};
    }
    return {};
  }

  void print(const ReadFact& fact) {
    ++printed_;
    std::ostream& out = context_.terminal.out;
    if (options_.json) {
      out << fact.entry << '\n' << std::flush;
      return;
    }
    const bool colour = context_.terminal.colour_out();
    out << (colour ? "\x1b[2m" : "") << fact.id << (colour ? "\x1b[0m" : "") << "  " << fact.payload
        << '\n'
        << std::flush;
  }

  const TailOptions& options_;
  CommandContext& context_;
  ApiClient client_;
  std::string token_;
  std::uint64_t printed_ = 0;
};

ExitCode tail(const TailOptions& options, CommandContext& context) {
  Result<Target> target = find_target(options.target, Listener::public_api, context.environment);
  if (!target) return report(context, target.error());
  Tail tail(options, context, ApiClient(context, *std::move(target)));
  const Result<void> outcome = tail.run();
  if (outcome) return ExitCode::ok;
  // Nobody follows a stream to its end: a signal is the way out.
  if (options.follow && outcome.error().code == Code::stopping) return ExitCode::ok;
  return report(context, outcome.error());
}

}  // namespace

void add_tail_command(CliCommand program, CommandContext& context) {
  const auto options = std::make_shared<TailOptions>();
  CliCommand command =
      program.add_command("tail", "Print the facts of a stream, from its beginning");
  command.add_option("stream", options->stream, "the stream").show_default();
  command.add_option("--after", options->after, "begin after this token").type_name("TOKEN");
  command.add_flag("--follow,-f", options->follow,
                   "go on with new facts as they come; without --after only with those");
  command.add_option("--limit,-n", options->limit, "print so many facts at most");
  command.add_flag("--json", options->json, "print JSON lines with the facts' IDs");
  add_target_options(command, Listener::public_api, options->target);
  command.footer("Example: postrider tail events --follow");
  command.callback([options, &context] {
    context.action = [options, &context] { return tail(*options, context); };
  });
}

}  // namespace postrider
