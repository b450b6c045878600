#include "postrider/app/cli/service_table.hpp"

#include <algorithm>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace postrider {
namespace {

struct Row {
  std::string id, kind, state, behind, next_attempt_at, last_error;
};

/// A member as text: nothing for null, and on one line whatever a receiver answered.
std::string shown(const boost::json::object& service, std::string_view key) {
  const boost::json::value* value = service.if_contains(key);
  if (value == nullptr || value->is_null()) return "";
  std::string text =
      value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

std::string_view colour_of(std::string_view state) {
  if (state == "up") return "\x1b[32m";
  if (state == "down") return "\x1b[31m";
  return "\x1b[33m";
}

}  // namespace

Result<std::string> service_table(std::string_view answer, bool colour) {
  boost::json::error_code error;
  const boost::json::value body = boost::json::parse(answer, error);
  const boost::json::value* services =
      !error && body.is_object() ? body.get_object().if_contains("services") : nullptr;
  if (services == nullptr || !services->is_array()) {
    return fail(Code::bad_status, "the answer is not one of Postrider: it has no services");
  }
  std::vector<Row> rows = {{"ID", "KIND", "STATE", "BEHIND", "NEXT ATTEMPT", "LAST ERROR"}};
  for (const boost::json::value& value : services->get_array()) {
    if (!value.is_object()) continue;
    const boost::json::object& service = value.get_object();
    rows.push_back({shown(service, "id"), shown(service, "kind"), shown(service, "state"),
                    shown(service, "behind"), shown(service, "next_attempt_at"),
                    shown(service, "last_error")});
  }
  const auto width = [&rows](std::string Row::* column) {
    std::size_t widest = 0;
    for (const Row& row : rows) widest = std::max(widest, (row.*column).size());
    return widest;
  };
  const std::size_t ids = width(&Row::id);
  const std::size_t kinds = width(&Row::kind);
  const std::size_t states = width(&Row::state);
  const std::size_t attempts = width(&Row::next_attempt_at);
  const std::size_t behinds = width(&Row::behind);
  std::string table;
  for (const Row& row : rows) {
    const bool coloured = colour && &row != &rows.front();
    std::string line = fmt::format("{:<{}}  {:<{}}  {}{:<{}}{}  {:>{}}  {:<{}}  {}", row.id, ids,
                                   row.kind, kinds, coloured ? colour_of(row.state) : "", row.state,
                                   states, coloured ? "\x1b[0m" : "", row.behind, behinds,
                                   row.next_attempt_at, attempts, row.last_error);
    line.erase(line.find_last_not_of(' ') + 1);
    table += line + '\n';
  }
  return table;
}

std::string service_state(std::string_view answer) {
  boost::json::error_code error;
  const boost::json::value body = boost::json::parse(answer, error);
  return !error && body.is_object() ? shown(body.get_object(), "state") : "";
}

PingOutcome ping_outcome(std::string_view answer) {
  boost::json::error_code error;
  const boost::json::value body = boost::json::parse(answer, error);
  if (error || !body.is_object()) return {false, "the answer is not one of Postrider"};
  const boost::json::object& ping = body.get_object();
  const std::string status = shown(ping, "status");
  const std::string cause = shown(ping, "error");
  if (!cause.empty()) return {false, cause + "; it is " + shown(ping, "state")};
  return {true, fmt::format("answered HTTP {} in {} ms; it is {}", status,
                            shown(ping, "duration_ms"), shown(ping, "state"))};
}

}  // namespace postrider
