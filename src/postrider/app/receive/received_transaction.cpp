#include "postrider/app/receive/received_transaction.hpp"

#include <optional>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/api/http/utf8.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 200;

/// Facts in the persistent and the ephemeral parts; nothing when the body is no transaction.
std::optional<std::size_t> fact_count(std::string_view body) {
  json::monotonic_resource memory;
  json::parse_options options;
  options.max_depth = depth_max;
  boost::system::error_code error;
  const json::value document = json::parse(body, error, &memory, options);
  const json::object* members = error ? nullptr : document.if_object();
  if (members == nullptr) return std::nullopt;
  std::optional<std::size_t> count;
  for (const char* name : {"events", "ephemeral", "de.sorunome.msc2409.ephemeral"}) {
    const json::value* part = members->if_contains(name);
    if (part != nullptr && part->is_array()) count = count.value_or(0) + part->get_array().size();
  }
  return count;
}

std::string line_of(const json::object& members) {
  return json::serialize(members) + "\n";
}

json::object common_members(const ReceivedTransaction& transaction) {
  json::object members;
  members["path"] = json::string(valid_utf8(transaction.path));
  members["txn_id"] = json::string(valid_utf8(transaction.id));
  members["received_ms"] = unix_milliseconds(transaction.received_at);
  members["status"] = transaction.status;
  return members;
}

std::string status_text(int status, bool in_colour) {
  std::string text = status == 0 ? "dropped" : std::to_string(status);
  if (!in_colour) return text;
  return fmt::format("\x1b[{}m{}\x1b[0m", status == 200 ? 32 : 31, text);
}

}  // namespace

ReceivedTransaction received_transaction(const HttpServerRequest& request, WallTime now) {
  const std::size_t slash = request.path.rfind('/');
  ReceivedTransaction transaction;
  transaction.path = request.path.substr(0, slash);
  transaction.raw_id = request.path.substr(slash + 1);
  transaction.id = request.segments.back();
  transaction.received_at = now;
  return transaction;
}

std::string log_line_of(const ReceivedTransaction& transaction, std::string_view body) {
  json::object members = common_members(transaction);
  members["body"] = json::string(valid_utf8(body));
  return line_of(members);
}

std::string json_line_of(const ReceivedTransaction& transaction, std::string_view body) {
  json::object members = common_members(transaction);
  if (const auto count = fact_count(body)) members["facts"] = *count;
  members["bytes"] = body.size();
  members["repeated"] = transaction.is_repeated;
  return line_of(members);
}

std::string text_line_of(const ReceivedTransaction& transaction, std::string_view body,
                         bool in_colour) {
  const auto count = fact_count(body);
  const std::string facts = count ? fmt::format("{} facts", *count) : "no transaction";
  const std::string_view repeated = transaction.is_repeated ? " repeated" : "";
  // The ID as it was sent has no control characters, which could play tricks on a terminal.
  return fmt::format("{} {}  {}, {} bytes  {}{}\n", transaction.path, transaction.raw_id, facts,
                     body.size(), status_text(transaction.status, in_colour), repeated);
}

}  // namespace postrider
