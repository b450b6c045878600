#include "postrider/webhook/json_format.hpp"

#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

namespace postrider {
namespace {

using simdjson::dom::element;

/// The names that a pointer holds; empty when it is not one.
std::optional<std::vector<std::string>> parse_pointer(std::string_view pointer) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      names.emplace_back();
      continue;
    }
    if (names.empty()) return std::nullopt;
    char c = pointer[i];
    if (c == '~') {
      ++i;
      if (i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1')) return std::nullopt;
      c = pointer[i] == '0' ? '~' : '/';
    }
    names.back() += c;
  }
  return names;
}

std::optional<std::size_t> index_of(std::string_view name) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool is_whole = error == std::errc() && end == name.data() + name.size();
  if (!is_whole || (name.size() > 1 && name.front() == '0')) return std::nullopt;
  return index;
}

/// Of a name that is there twice the last one counts, as in the parsers of most receivers.
std::optional<element> member(const element& value, std::string_view name) {
  simdjson::dom::array array;
  if (value.get(array) == simdjson::SUCCESS) {
    const auto index = index_of(name);
    element item;
    if (!index || array.at(*index).get(item) != simdjson::SUCCESS) return std::nullopt;
    return item;
  }
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return std::nullopt;
  std::optional<element> found;
  for (const auto field : object) {
    if (field.key == name) found = field.value;
  }
  return found;
}

std::optional<element> find(const simdjson::dom::object& fact,
                            const std::vector<std::string>& path) {
  std::optional<element> value;
  for (const auto field : fact) {
    if (field.key == path.front()) value = field.value;
  }
  for (std::size_t i = 1; i < path.size() && value; ++i) value = member(*value, path[i]);
  return value;
}

void write(const element& value, std::size_t index, AttributeWriter& attributes) {
  std::string_view text;
  std::int64_t number = 0;
  if (value.get(text) == simdjson::SUCCESS) {
    if (is_storable_text(text)) attributes.text(index, text);
  } else if (value.get(number) == simdjson::SUCCESS) {
    attributes.text(index, fmt::to_string(number));
  }
}

}  // namespace

JsonFormat::JsonFormat(const std::map<std::string, std::string>& pointers) {
  for (std::size_t i = 0; i < json_schema.size(); ++i) {
    const std::string name(json_schema[i].name);
    const auto named = pointers.find(name);
    paths_[i] = named == pointers.end() ? std::vector{name} : parse_pointer(named->second).value();
  }
}

void JsonFormat::read_attributes(const simdjson::dom::object& fact, AttributeWriter attributes,
                                 std::vector<FieldError>&) const {
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (const auto value = find(fact, paths_[i])) write(*value, i, attributes);
  }
}

std::string json_pointer_fault(const std::string& pointer) {
  if (pointer.size() > json_pointer_bytes_max) {
    return fmt::format("has {} bytes; allowed: a JSON pointer of {}", pointer.size(),
                       json_pointer_bytes_max);
  }
  const auto names = parse_pointer(pointer);
  if (names && !names->empty()) return "";
  return fmt::format(
      "\"{}\" is not a JSON pointer; allowed: /NAME or /NAME/NAME, with ~1 for / and"
      " ~0 for ~",
      pointer);
}

}  // namespace postrider
