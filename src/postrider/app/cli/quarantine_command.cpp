#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/app/cli/api_client.hpp"
#include "postrider/app/cli/commands.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

struct QuarantineOptions {
  TargetOptions target;
  std::string stream;
  std::uint64_t first = 0;
  bool json = false;
};

std::string entry_path(const QuarantineOptions& options) {
  return fmt::format("/v1/quarantine/{}/{}", percent_encoded(options.stream), options.first);
}

std::unexpected<Error> foreign_answer() {
  return fail(Code::bad_status, "the answer is not one of Postrider: it has no entries");
}

/// One line for each entry.
Result<std::string> entries_text(std::string_view answer) {
  json::error_code error;
  const json::value body = json::parse(answer, error);
  if (error || !body.is_object()) return foreign_answer();
  const json::value* entries = body.get_object().if_contains("entries");
  if (entries == nullptr || !entries->is_array()) return foreign_answer();
  if (entries->get_array().empty()) return "nothing is in quarantine\n";
  std::string text;
  for (const json::value& value : entries->get_array()) {
    const json::object* entry = value.if_object();
    if (entry == nullptr) return foreign_answer();
    for (const char* member : {"stream", "first", "last", "found_at", "cause"}) {
      if (!entry->contains(member)) return foreign_answer();
    }
    const auto text_of = [entry](const char* member) {
      const json::value& shown = entry->at(member);
      return shown.is_string() ? std::string(shown.get_string()) : json::serialize(shown);
    };
    text += fmt::format("stream {}, facts {} to {}, since {}: {}\n", text_of("stream"),
                        text_of("first"), text_of("last"), text_of("found_at"), text_of("cause"));
  }
  const json::value* more = body.get_object().if_contains("more");
  const bool has_more = more != nullptr && more->is_bool() && more->get_bool();
  if (has_more) text += "there are more: retry or drop some of these first\n";
  return text;
}

ExitCode print(CommandContext& context, const Result<std::string>& text) {
  if (!text) return report(context, text.error());
  context.terminal.out << *text << std::flush;
  return ExitCode::ok;
}

ExitCode list(const QuarantineOptions& options, CommandContext& context) {
  const Result<std::string> body = ask_admin(options.target, context, "GET", "/v1/quarantine");
  if (!body) return report(context, body.error());
  return print(context, options.json ? *body + "\n" : entries_text(*body));
}

ExitCode retry(const QuarantineOptions& options, CommandContext& context) {
  const Result<std::string> body =
      ask_admin(options.target, context, "POST", entry_path(options) + "/retry");
  if (!body) return report(context, body.error());
  if (options.json) return print(context, *body + "\n");
  json::error_code error;
  const json::value answer = json::parse(*body, error);
  const json::object* receipt = error ? nullptr : answer.if_object();
  if (receipt == nullptr || !receipt->contains("first") || !receipt->contains("last")) {
    return report(context, foreign_answer().error());
  }
  return print(context, fmt::format("appended again to stream {} as facts {} to {}\n",
                                    options.stream, json::serialize(receipt->at("first")),
                                    json::serialize(receipt->at("last"))));
}

ExitCode drop(const QuarantineOptions& options, CommandContext& context) {
  const Result<std::string> body =
      ask_admin(options.target, context, "DELETE", entry_path(options));
  if (!body) return report(context, body.error());
  if (options.json) return ExitCode::ok;
  return print(context, fmt::format("dropped what began with fact {} of stream {}\n", options.first,
                                    options.stream));
}

using Run = ExitCode (*)(const QuarantineOptions&, CommandContext&);

void add_quarantine_verb(CliCommand quarantine, CommandContext& context, const char* name,
                         const char* description, Run run) {
  const auto options = std::make_shared<QuarantineOptions>();
  CliCommand command = quarantine.add_command(name, description);
  const bool about_one = std::string_view(name) != "list";
  if (about_one) {
    command.add_option("stream", options->stream, "the stream").required();
    command.add_option("first", options->first, "the first fact of the entry").required();
  }
  command.add_flag("--json", options->json, "print the server's answer");
  add_target_options(command, Listener::admin, options->target);
  command.footer(
      fmt::format("Example: postrider quarantine {}{}", name, about_one ? " events 17" : ""));
  command.callback([options, &context, run] {
    context.action = [options, &context, run] { return run(*options, context); };
  });
}

}  // namespace

void add_quarantine_command(CliCommand program, CommandContext& context) {
  CliCommand quarantine = program.add_command(
      "quarantine", "See and mend facts that were passed by, not readable or not decided");
  quarantine.require_command();
  quarantine.footer("Example: postrider quarantine list");
  add_quarantine_verb(quarantine, context, "list", "Print what is in quarantine, and why", list);
  add_quarantine_verb(quarantine, context, "retry",
                      "Append the facts of an entry again, at the end of their stream", retry);
  add_quarantine_verb(quarantine, context, "drop", "Forget an entry; nobody gets its facts", drop);
}

}  // namespace postrider
