#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

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
  std::vector<std::string> types;
  std::vector<std::string> streams;
  std::vector<std::string> headers;
  std::string secret;
  std::optional<std::int64_t> acknowledge_behind;
  std::string sender_localpart;
  std::vector<std::string> users;
  std::vector<std::string> rooms;
  std::vector<std::string> aliases;
  bool json = false;

  [[nodiscard]] bool is_matrix() const {
    return !sender_localpart.empty() || !users.empty() || !rooms.empty() || !aliases.empty();
  }
  [[nodiscard]] bool is_webhook() const {
    return !types.empty() || !streams.empty() || !headers.empty() || !secret.empty() ||
           acknowledge_behind;
  }
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
      {"kind", "matrix"},
      {"url", options.url},
      {"sender_localpart",
       options.sender_localpart.empty() ? options.source : options.sender_localpart},
      {"namespaces", boost::json::object{{"users", patterns_of(options.users)},
                                         {"rooms", patterns_of(options.rooms)},
                                         {"aliases", patterns_of(options.aliases)}}}};
}

Result<boost::json::object> headers_of(const std::vector<std::string>& headers) {
  boost::json::object object;
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos) {
      return fail(Code::invalid_argument, "--header \"{}\" has no colon; allowed: NAME: VALUE",
                  header);
    }
    const std::size_t value = header.find_first_not_of(' ', colon + 1);
    object[header.substr(0, colon)] = value == std::string::npos ? "" : header.substr(value);
  }
  return object;
}

/// Without a secret: the server draws it likewise.
Result<boost::json::value> webhook_of(const PutOptions& options) {
  boost::json::object document{{"id", options.source}, {"kind", "webhook"}, {"url", options.url}};
  if (!options.types.empty()) document["types"] = boost::json::value_from(options.types);
  if (!options.streams.empty()) document["streams"] = boost::json::value_from(options.streams);
  if (!options.secret.empty()) document["secret"] = options.secret;
  if (options.acknowledge_behind) document["acknowledge_behind"] = *options.acknowledge_behind;
  TRY(auto headers, headers_of(options.headers));
  if (!headers.empty()) document["headers"] = std::move(headers);
  return document;
}

Result<boost::json::value> document_of(const PutOptions& options) {
  if (options.is_matrix() && options.is_webhook()) {
    return fail(Code::invalid_argument,
                "--types, --streams, --header, --secret and --acknowledge-behind are a webhook's;"
                " --users, --rooms, --aliases and --sender-localpart are a Matrix application"
                " service's; give those of one");
  }
  if (options.is_matrix()) return registration_of(options);
  return webhook_of(options);
}

Result<std::string> id_of(const LoadedDocument& loaded) {
  if (loaded.document.is_object()) {
    const boost::json::value* id = loaded.document.get_object().if_contains("id");
    if (id != nullptr && id->is_string() && !id->get_string().empty()) {
      return std::string(id->get_string());
    }
  }
  return fail(Code::invalid_argument, "{} has no id; allowed: a document with its id as a text",
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
  out << fmt::format("service {}: registered, {}\n", id, text_member(answer, "kind"));
  if (const auto* warnings =
          answer.is_object() ? answer.get_object().if_contains("warnings") : nullptr;
      warnings != nullptr && warnings->is_array()) {
    for (const auto& warning : warnings->get_array()) {
      out << "warning: " << std::string_view(warning.get_string()) << '\n';
    }
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> secrets = {
      {{"secret", "the receiver verifies signatures with it"},
       {"hs_token", "Postrider shows it to the service"},
       {"as_token", "the service shows it to Postrider"}}};
  bool is_first = true;
  for (const auto& [name, use] : secrets) {
    const std::string secret = text_member(answer, name);
    if (secret.empty()) continue;
    if (std::exchange(is_first, false)) out << "Shown this once, so keep it:\n";
    out << fmt::format("  {}: {}  ({})\n", name, secret, use);
  }
}

Result<void> put(const PutOptions& options, CommandContext& context, LoadedDocument& loaded) {
  if (options.url.empty()) {
    auto document = load_document(options.source);
    if (!document) return std::unexpected(configuration_error(document.error()));
    loaded = *std::move(document);
  } else {
    TRY(loaded.document, document_of(options));
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

void add_services_put_command(CliCommand services, CommandContext& context) {
  const auto options = std::make_shared<PutOptions>();
  CliCommand command = services.add_command("put", "Register a service, or change it");
  command.add_option("source", options->source, "a document (YAML or JSON); with --url an ID")
      .type_name("FILE")
      .required();
  const CliOption url = command.add_option(
      "--url", options->url, "register without a file: where the receiver takes transactions");
  const auto add_list = [&](const char* name, std::vector<std::string>& list, const char* type,
                            const char* description) {
    command.add_option(name, list, description).type_name(type).needs(url);
  };
  add_list("--types", options->types, "GLOB", "types of facts it gets; may be repeated; else all");
  add_list("--streams", options->streams, "GLOB", "streams it gets; may be repeated; else all");
  add_list("--header", options->headers, "NAME: VALUE", "sent with each request; may be repeated");
  command.add_option("--secret", options->secret, "whsec_…, for its signatures; else drawn")
      .needs(url);
  command
      .add_option("--acknowledge-behind", options->acknowledge_behind,
                  "how many IDs besides the last one it remembers, 0 to 100; else as configured")
      .type_name("N")
      .needs(url);
  add_list("--users", options->users, "REGEX", "Matrix: users it is interested in");
  add_list("--rooms", options->rooms, "REGEX", "Matrix: rooms it is interested in");
  add_list("--aliases", options->aliases, "REGEX", "Matrix: room aliases it is interested in");
  command
      .add_option("--sender-localpart", options->sender_localpart,
                  "Matrix: its own user; else its ID")
      .needs(url);
  command.add_flag("--json", options->json, "print the server's answer");
  add_target_options(command, Listener::admin, options->target);
  command.footer(
      "Example: postrider services put orders --url http://127.0.0.1:9000 --types 'order.*'");
  command.callback([options, &context] {
    context.action = [options, &context] { return run(*options, context); };
  });
}

}  // namespace postrider
