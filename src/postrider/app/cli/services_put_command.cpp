#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/app/cli/api_client.hpp"
#include "postrider/app/cli/commands.hpp"
#include "postrider/app/cli/service_table.hpp"
#include "postrider/app/config/loaded_document.hpp"

namespace postrider {
namespace {

struct PutOptions {
  TargetOptions target;
  std::string source;  // a file, or with --url an id
  std::string url;
  std::string sender_localpart;
  std::vector<std::string> users;
  std::vector<std::string> rooms;
  std::vector<std::string> aliases;
  bool json = false;
};

boost::json::array patterns_of(const std::vector<std::string>& patterns) {
  boost::json::array namespaces;
  for (const std::string& pattern : patterns) {
    namespaces.push_back(boost::json::object{{"regex", pattern}, {"exclusive", false}});
  }
  return namespaces;
}

/// Without tokens: the server draws them and gives them with its answer, once.
boost::json::value registration_of(const PutOptions& options) {
  return boost::json::object{
      {"id", options.source},
      {"url", options.url},
      {"sender_localpart",
       options.sender_localpart.empty() ? options.source : options.sender_localpart},
      {"namespaces", boost::json::object{{"users", patterns_of(options.users)},
                                         {"rooms", patterns_of(options.rooms)},
                                         {"aliases", patterns_of(options.aliases)}}}};
}

Result<std::string> id_of(const LoadedDocument& loaded) {
  if (loaded.document.is_object()) {
    const boost::json::value* id = loaded.document.get_object().if_contains("id");
    if (id != nullptr && id->is_string() && !id->get_string().empty()) {
      return std::string(id->get_string());
    }
  }
  return fail(Code::invalid_argument, "{} has no id; allowed: a registration with its id as a text",
              loaded.file);
}

std::string text_member(const boost::json::value& answer, std::string_view key) {
  const boost::json::value* value =
      answer.is_object() ? answer.get_object().if_contains(key) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

void print_outcome(const std::string& id, const std::string& body, std::ostream& out) {
  boost::json::error_code ignored;
  const boost::json::value answer = boost::json::parse(body, ignored);
  out << fmt::format("service {}: registered\n", id);
  const std::string hs_token = text_member(answer, "hs_token");
  const std::string as_token = text_member(answer, "as_token");
  if (hs_token.empty() && as_token.empty()) return;
  out << "These tokens are shown this once:\n";
  if (!hs_token.empty())
    out << "  hs_token: " << hs_token << "  (Postrider shows it to the service)\n";
  if (!as_token.empty())
    out << "  as_token: " << as_token << "  (the service shows it to Postrider)\n";
}

Result<void> put(const PutOptions& options, CommandContext& context, LoadedDocument& loaded) {
  if (options.url.empty()) {
    auto document = load_document(options.source);
    if (!document) return std::unexpected(configuration_error(document.error()));
    loaded = *std::move(document);
  } else {
    loaded.document = registration_of(options);
  }
  TRY(const std::string id, id_of(loaded));
  TRY(Target target, find_target(options.target, Listener::admin, context.environment));
  ApiRequest request;
  request.method = "PUT";
  request.url = "/v1/services/" + percent_encoded(id);
  request.content_type = "application/json";
  request.body = boost::json::serialize(loaded.document);
  TRY(const ApiAnswer answer, ApiClient(context, std::move(target)).send(std::move(request)));
  if (options.json) {
    context.terminal.out << answer.body << '\n';
  } else {
    print_outcome(id, answer.body, context.terminal.out);
  }
  context.terminal.out << std::flush;
  return {};
}

/// A mistake in a file is shown where it stands in it.
ExitCode run(const PutOptions& options, CommandContext& context) {
  LoadedDocument loaded;
  const Result<void> outcome = put(options, context, loaded);
  if (outcome) return ExitCode::ok;
  Error error = outcome.error();
  if (!loaded.file.empty()) {
    for (FieldError& field : error.fields) {
      field.pointer =
          fmt::format("{}:{}: {}", loaded.file, loaded.line_of(field.pointer), field.pointer);
    }
  }
  return report(context, error);
}

}  // namespace

void add_services_put_command(CLI::App& services, CommandContext& context) {
  const auto options = std::make_shared<PutOptions>();
  CLI::App* command = services.add_subcommand("put", "Register a service, or change it");
  command->add_option("source", options->source, "a registration (YAML or JSON); with --url an ID")
      ->type_name("FILE")
      ->required();
  CLI::Option* url = command->add_option(
      "--url", options->url, "register without a file: where the service takes transactions");
  const auto add_patterns = [&](const char* name, std::vector<std::string>& patterns,
                                const char* description) {
    command->add_option(name, patterns, description)
        ->type_name("REGEX")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->needs(url);
  };
  add_patterns("--users", options->users, "users it is interested in; may be repeated");
  add_patterns("--rooms", options->rooms, "rooms it is interested in; may be repeated");
  add_patterns("--aliases", options->aliases, "room aliases it is interested in; may be repeated");
  command->add_option("--sender-localpart", options->sender_localpart, "its own user; else its ID")
      ->needs(url);
  command->add_flag("--json", options->json, "print the server's answer");
  add_target_options(*command, Listener::admin, options->target);
  command->footer(
      "Example: postrider services put irc --url http://127.0.0.1:9000 --users '@irc_.*'");
  command->callback([options, &context] {
    context.action = [options, &context] { return run(*options, context); };
  });
}

}  // namespace postrider
