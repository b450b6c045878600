#include "postrider/stream/fact_spans.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "postrider/stream/json_scanner.hpp"

namespace postrider {
namespace {

// A parser keeps several times its largest body. One that has seen a larger body is not kept.
constexpr std::size_t kept_parser_bytes_max = 1U << 20;

std::unexpected<Error> malformed(std::string pointer, std::string what) {
  Error error{Code::malformed_json, "the body is not a JSON array of facts: " + what};
  error.fields = {{std::move(pointer), std::move(what)}};
  return std::unexpected(std::move(error));
}

std::unexpected<Error> malformed(std::string pointer, simdjson::error_code error) {
  return malformed(std::move(pointer), json_error_text(error));
}

simdjson::error_code span_of(simdjson::ondemand::value element, std::string_view& text) {
  simdjson::ondemand::json_type type{};
  if (const auto error = element.type().get(type)) return error;
  switch (type) {
    case simdjson::ondemand::json_type::object:
      return simdjson::ondemand::object(element.get_object()).raw_json().get(text);
    case simdjson::ondemand::json_type::array:
      return simdjson::ondemand::array(element.get_array()).raw_json().get(text);
    default:
      text = element.raw_json_token();
      return simdjson::SUCCESS;
  }
}

Result<void> walk(simdjson::ondemand::parser& parser, const std::string& body,
                  const FactVisitor& visit) {
  using simdjson::ondemand::array;
  const simdjson::padded_string_view padded(body.data(), body.size(), body.capacity());
  simdjson::ondemand::document document;
  if (const auto error = parser.iterate(padded).get(document)) return malformed("", error);
  array elements;
  if (const auto error = document.get_array().get(elements)) return malformed("", error);
  std::size_t index = 0;
  for (auto next : elements) {
    const auto place = [index] { return fmt::format("/{}", index); };
    simdjson::ondemand::value element;
    if (const auto error = next.get(element)) return malformed(place(), error);
    FactSpan span;
    if (const auto error = span_of(element, span.text)) return malformed(place(), error);
    span.text = trim_json(span.text);
    if (!visit(span)) return {};
    ++index;
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) {
    return malformed("", fmt::format("something follows it at byte {}", rest - body.data()));
  }
  return {};
}

}  // namespace

Result<void> each_element(const std::string& body, const FactVisitor& visit) {
  if (body.size() > kept_parser_bytes_max) {
    simdjson::ondemand::parser parser;
    return walk(parser, body, visit);
  }
  static thread_local simdjson::ondemand::parser parser;
  return walk(parser, body, visit);
}

void each_line(std::string_view body, const FactVisitor& visit) {
  std::size_t line = 0;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    const FactSpan span{trim_json(body.substr(0, end)), ++line};
    if (!span.text.empty() && !visit(span)) return;
    body.remove_prefix(std::min(end + 1, body.size()));
  }
}

std::string_view trim_json(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(json_white_space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(json_white_space) - begin + 1);
}

std::string json_error_text(int error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "it is not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string is opened and never closed";
    case simdjson::UNESCAPED_CHARS:
      return "a string holds a control character that is not escaped";
    case simdjson::STRING_ERROR:
      return "a string holds an invalid escape";
    case simdjson::NUMBER_ERROR:
      return "a number is not written as JSON writes it, or is out of range";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "a word is neither true, false nor null";
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "an array or object is not closed";
    case simdjson::INCORRECT_TYPE:
      return "it is neither an array nor an object";
    case simdjson::MEMALLOC:
      return "there is not enough memory to read it";
    default:
      return "a comma, colon, bracket or key is missing or superfluous";
  }
}

}  // namespace postrider
