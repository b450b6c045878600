#include <memory>
#include <ostream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/ranges.h>

#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/fact_sender.hpp"
#include "postrider/app/cli/input_file.hpp"
#include "postrider/app/cli/progress_bar.hpp"
#include "postrider/app/config/random_bytes.hpp"
#include "postrider/app/config/token_file.hpp"
#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

constexpr std::uint64_t long_input_bytes = 1U << 20;

struct AppendOptions {
  TargetOptions target;
  std::string stream = "events";
  std::string file = "-";
  std::vector<std::string> facts;
  std::size_t batch = 100;
  std::string idempotency_prefix;
  std::string retry_for = "1m";
  bool explain = false;
  bool json = false;
};

std::string attributes_text(const boost::json::object& attributes) {
  std::string text;
  for (const auto& attribute : attributes) {
    const boost::json::value& value = attribute.value();
    text += fmt::format(
        "{}{} {}", text.empty() ? " (" : ", ", std::string_view(attribute.key()),
        value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value));
  }
  return text.empty() ? text : text + ")";
}

/// One line for each fact: who gets it.
std::string explanation_text(const std::string& answer) {
  boost::json::error_code error;
  const boost::json::value body = boost::json::parse(answer, error);
  const boost::json::value* explanation =
      !error && body.is_object() ? body.get_object().if_contains("explanation") : nullptr;
  if (explanation == nullptr || !explanation->is_array()) {
    return "these facts had been appended before; who gets them was decided then\n";
  }
  std::string text;
  for (const boost::json::value& value : explanation->get_array()) {
    const boost::json::object& fact = value.as_object();
    std::vector<std::string> receivers;
    for (const auto& receiver : fact.at("receivers").as_array()) {
      receivers.emplace_back(receiver.as_string());
    }
    text += fmt::format(
        "fact {}{}: {}\n", fact.at("id").as_int64(),
        attributes_text(fact.at("attributes").as_object()),
        receivers.empty() ? "no receiver" : fmt::format("{}", fmt::join(receivers, ", ")));
  }
  return text;
}

Result<void> send_texts(const std::vector<std::string>& texts, FactSender& sender) {
  for (const std::string& text : texts) {
    FactSplitter splitter;
    std::vector<InputFact> facts;
    TRY_VOID(splitter.feed(text, facts));
    TRY_VOID(splitter.finish());
    TRY_VOID(sender.add(std::move(facts)));
  }
  return sender.flush();
}

/// A pipe that has nothing to give for now does not keep what it gave from being sent.
Result<void> send_file(const AppendOptions& options, CommandContext& context, FactSender& sender) {
  TRY(InputFile input, InputFile::open(options.file, context.terminal.in));
  std::optional<std::uint64_t> shown_total = input.size();
  const bool is_long = shown_total.value_or(0) >= long_input_bytes;
  if (!context.terminal.err_is_terminal || !is_long) shown_total = std::nullopt;
  ProgressBar progress(context.terminal.err, shown_total);
  FactSplitter splitter;
  std::uint64_t done_bytes = 0;
  while (true) {
    TRY(const std::string part, input.read_part());
    if (part.empty()) break;
    std::vector<InputFact> facts;
    Result<void> split = splitter.feed(part, facts);
    TRY_VOID(sender.add(std::move(facts)));
    if (!split) return split;
    if (!input.is_ready()) TRY_VOID(sender.flush());
    done_bytes += part.size();
    progress.advance(done_bytes,
                     progress_of_bytes(done_bytes, shown_total.value_or(0), sender.fact_count()));
  }
  TRY_VOID(splitter.finish());
  return sender.flush();
}

void print_outcome(const AppendOptions& options, CommandContext& context,
                   const FactSender& sender) {
  if (options.json) {
    if (!sender.last_answer().empty()) context.terminal.out << sender.last_answer() << '\n';
  } else {
    context.terminal.out << fmt::format("{} fact{} appended to {}\n", sender.fact_count(),
                                        sender.fact_count() == 1 ? "" : "s", options.stream);
    const bool is_shown = !options.explain && !sender.last_answer().empty();
    if (is_shown) context.terminal.out << sender.last_answer() << '\n';
  }
  context.terminal.out << std::flush;
}

ExitCode append(const AppendOptions& options, CommandContext& context) {
  FactSenderSettings settings;
  settings.stream = options.stream;
  settings.batch_facts = options.batch;
  const Result<Duration> retry_for = parse_duration(options.retry_for);
  if (!retry_for) return report(context, Error(retry_for.error()).with("--retry-for"));
  settings.retry_for = *retry_for;
  settings.idempotency_prefix = options.idempotency_prefix.empty()
                                    ? generate_token("append", system_random_bytes)
                                    : options.idempotency_prefix;
  settings.explain = options.explain;
  if (options.explain && !options.json) {
    settings.on_answer = [&context](const std::string& answer) {
      context.terminal.out << explanation_text(answer);
    };
  }
  Result<Target> target = find_target(options.target, Listener::public_api, context.environment);
  if (!target) return report(context, target.error());
  FactSender sender(context, ApiClient(context, *std::move(target)), settings);
  const Result<void> outcome = options.facts.empty() ? send_file(options, context, sender)
                                                     : send_texts(options.facts, sender);
  if (outcome) {
    print_outcome(options, context, sender);
    return ExitCode::ok;
  }
  const ExitCode code = report(context, outcome.error());
  context.terminal.err << fmt::format("{} facts were appended before it\n", sender.fact_count())
                       << std::flush;
  return code;
}

}  // namespace

void add_append_command(CliCommand program, CommandContext& context) {
  const auto options = std::make_shared<AppendOptions>();
  CliCommand command = program.add_command("append", "Append facts to a stream");
  command.add_option("stream", options->stream, "the stream").show_default();
  CliOption file = command.add_option(
      "--file", options->file, "JSON objects, one a line or in an array; - is standard input");
  file.type_name("FILE").show_default();
  command.add_option("--fact", options->facts, "one fact, instead of a file; may be repeated")
      .type_name("JSON")
      .excludes(file);
  command.add_option("--batch", options->batch, "facts in one request")
      .range(1, 100'000)
      .type_name("COUNT")
      .show_default();
  command.add_option("--idempotency-prefix", options->idempotency_prefix,
                     "the same prefix, input and batch append nothing twice; else it is drawn");
  command
      .add_option("--retry-for", options->retry_for,
                  "how long to go on after connection errors, 503 and 507")
      .type_name("DURATION")
      .show_default();
  command.add_flag("--explain", options->explain,
                   "wait until it is decided who gets each fact, and tell");
  command.add_flag("--json", options->json, "print only the last answer");
  add_target_options(command, Listener::public_api, options->target);
  command.footer("Example: postrider append events --file events.ndjson");
  command.callback([options, &context] {
    context.action = [options, &context] { return append(*options, context); };
  });
}

}  // namespace postrider
