#include "postrider/app/cli/fact_page.hpp"

#include <simdjson.h>

namespace postrider {
namespace {

namespace ondemand = simdjson::ondemand;

std::unexpected<Error> not_ours(simdjson::error_code error) {
  return fail(Code::bad_status, "the answer is not one of Postrider: {}",
              simdjson::error_message(error));
}

simdjson::error_code read_fact(ondemand::object object, ReadFact& fact) {
  std::string_view entry;
  if (const auto error = object.raw_json().get(entry)) return error;
  fact.entry = entry;
  if (const auto error = object.reset().error()) return error;
  if (const auto error = object["id"].get(fact.id)) return error;
  ondemand::object payload;
  if (const auto error = object["fact"].get(payload)) return error;
  std::string_view text;
  if (const auto error = payload.raw_json().get(text)) return error;
  fact.payload = text;
  return simdjson::SUCCESS;
}

simdjson::error_code read_page(ondemand::object object, FactPage& page) {
  ondemand::array facts;
  if (const auto error = object["facts"].get(facts)) return error;
  for (auto element : facts) {
    ondemand::object entry;
    if (const auto error = element.get(entry)) return error;
    if (const auto error = read_fact(entry, page.facts.emplace_back())) return error;
  }
  std::string_view token;
  if (const auto error = object["token"].get(token)) return error;
  page.token = token;
  return simdjson::SUCCESS;
}

template <class Value, class Read>
Result<Value> parse(std::string_view text, Read read) {
  const simdjson::padded_string padded(text);
  // What is read on demand is not checked in the places that nobody asks for.
  simdjson::dom::parser whole;
  if (const auto error = whole.parse(padded).error()) return not_ours(error);
  ondemand::parser parser;
  ondemand::document document;
  if (const auto error = parser.iterate(padded).get(document)) return not_ours(error);
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return not_ours(error);
  Value value;
  if (const auto error = read(object, value)) return not_ours(error);
  return value;
}

}  // namespace

Result<ReadFact> parse_read_fact(std::string_view text) {
  return parse<ReadFact>(text, read_fact);
}

Result<FactPage> parse_fact_page(std::string_view text) {
  return parse<FactPage>(text, read_page);
}

}  // namespace postrider
