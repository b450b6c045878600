#include "postrider/app/receive/received_transaction.hpp"

#include <algorithm>
#include <optional>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/api/http/utf8.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 200;

constexpr std::size_t shown_facts_max = 5;
constexpr std::size_t shown_bytes_max = 200;
// A ping holds an ID and no facts.
constexpr std::size_t ping_bytes_max = 1024;

/// What a body holds; nothing when it is no transaction.
struct Contents {
  std::size_t facts = 0;
  std::string place;  ///< of a webhook: " orders 3..9"
  std::string shown;  ///< of a webhook: its first facts, a line each
};

std::string shown_fact(const json::value& fact) {
  std::string text = json::serialize(fact);
  if (text.size() > shown_bytes_max) {
    std::size_t end = shown_bytes_max;
    while (end > 0 && (text[end] & '\xC0') == '\x80') --end;
    text = text.substr(0, end) + "…";
  }
  return "    " + text + "\n";
}

Contents webhook_contents(const json::object& members, const json::array& facts) {
  Contents contents;
  contents.facts = facts.size();
  const json::value* stream = members.if_contains("stream");
  const json::value* first = members.if_contains("first");
  const json::value* last = members.if_contains("last");
  if (stream != nullptr && stream->is_string() && first != nullptr && last != nullptr) {
    contents.place = fmt::format(" {} {}..{}", json::serialize(*stream), json::serialize(*first),
                                 json::serialize(*last));
  }
  for (std::size_t i = 0; i < std::min(facts.size(), shown_facts_max); ++i) {
    contents.shown += shown_fact(facts[i]);
  }
  if (facts.size() > shown_facts_max) {
    contents.shown += fmt::format("    … and {} more\n", facts.size() - shown_facts_max);
  }
  return contents;
}

std::optional<Contents> contents_of(std::string_view body) {
  json::monotonic_resource memory;
  json::parse_options options;
  options.max_depth = depth_max;
  boost::system::error_code error;
  const json::value document = json::parse(body, error, &memory, options);
  const json::object* members = error ? nullptr : document.if_object();
  if (members == nullptr) return std::nullopt;
  const json::value* facts = members->if_contains("facts");
  if (facts != nullptr && facts->is_array()) return webhook_contents(*members, facts->get_array());
  std::optional<std::size_t> count;
  for (const char* name : {"events", "ephemeral", "de.sorunome.msc2409.ephemeral"}) {
    const json::value* part = members->if_contains(name);
    if (part != nullptr && part->is_array()) count = count.value_or(0) + part->get_array().size();
  }
  if (!count) return std::nullopt;
  Contents contents;
  contents.facts = *count;
  return contents;
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

bool is_ping_of_webhook(std::string_view body) {
  if (body.size() > ping_bytes_max) return false;
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  const json::object* members = error ? nullptr : document.if_object();
  const json::value* stream = members == nullptr ? nullptr : members->if_contains("stream");
  return stream != nullptr && stream->is_null();
}

}  // namespace

ReceivedTransaction received_transaction(const HttpServerRequest& request, WallTime now) {
  const std::size_t slash = request.path.rfind('/');
  ReceivedTransaction transaction;
  if (const auto id = request.header("webhook-id")) {
    transaction.path = request.path;
    transaction.raw_id = valid_utf8(*id);
    transaction.id = *id;
    transaction.is_ping = is_ping_of_webhook(request.body);
  } else {
    transaction.path = request.path.substr(0, slash);
    transaction.raw_id = request.path.substr(slash + 1);
    if (!request.segments.empty()) transaction.id = request.segments.back();
  }
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
  if (const auto contents = contents_of(body)) members["facts"] = contents->facts;
  if (!transaction.signature.empty()) members["signature"] = transaction.signature;
  members["bytes"] = body.size();
  members["repeated"] = transaction.is_repeated;
  return line_of(members);
}

std::string text_line_of(const ReceivedTransaction& transaction, std::string_view body,
                         bool in_colour) {
  const auto found = contents_of(body);
  const Contents contents = found.value_or(Contents{});
  const std::string facts = found ? fmt::format("{} facts", contents.facts) : "no transaction";
  const std::string_view repeated = transaction.is_repeated ? " repeated" : "";
  const std::string signature =
      transaction.signature.empty() ? "" : "  signature " + transaction.signature;
  // The ID as it was sent has no control characters, which could play tricks on a terminal.
  return fmt::format("{} {}{}  {}, {} bytes  {}{}{}\n{}", transaction.path, transaction.raw_id,
                     contents.place, facts, body.size(), status_text(transaction.status, in_colour),
                     signature, repeated, contents.shown);
}

}  // namespace postrider
