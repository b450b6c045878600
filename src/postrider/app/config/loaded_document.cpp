#include "postrider/app/config/loaded_document.hpp"

#include <charconv>
#include <cmath>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "postrider/app/config/yaml_document.hpp"

namespace postrider {
namespace {

using Lines = std::map<std::string, int>;

template <class Number>
bool read_whole(std::string_view text, Number& number) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && rest == text.data() + text.size();
}

boost::json::value scalar_of(const YamlNode& node) {
  const std::string& text = node.text;
  if (node.quoted) return boost::json::string(text);
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (std::int64_t whole = 0; read_whole(text, whole)) return whole;
  if (double number = 0; read_whole(text, number) && std::isfinite(number)) return number;
  return boost::json::string(text);
}

/// RFC 6901: `~` and `/` of a key are escaped.
std::string pointer_below(const std::string& pointer, std::string_view key) {
  std::string below = pointer + "/";
  for (const char c : key) {
    if (c == '~') {
      below += "~0";
    } else if (c == '/') {
      below += "~1";
    } else {
      below += c;
    }
  }
  return below;
}

boost::json::value value_of(const YamlNode& node, const std::string& pointer, Lines& lines) {
  lines[pointer] = node.key_line > 0 ? node.key_line : node.line;
  switch (node.kind) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::scalar:
      return scalar_of(node);
    case YamlNode::Kind::sequence: {
      boost::json::array array;
      for (const YamlNode& child : node.children) {
        const std::string below = fmt::format("{}/{}", pointer, array.size());
        array.push_back(value_of(child, below, lines));
      }
      return array;
    }
    case YamlNode::Kind::map:
      break;
  }
  boost::json::object object;
  for (const YamlNode& child : node.children) {
    object[child.key] = value_of(child, pointer_below(pointer, child.key), lines);
  }
  return object;
}

/// "/namespaces/users/0/regex" as the rest of the configuration writes it.
std::string path_of(std::string_view pointer) {
  std::string path;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string_view part = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(part.size());
    const bool index = part.find_first_not_of("0123456789") == std::string_view::npos;
    if (index && !part.empty()) {
      path += fmt::format("[{}]", part);
    } else {
      path += fmt::format("{}{}", path.empty() ? "" : ".", part);
    }
  }
  return path;
}

}  // namespace

int LoadedDocument::line_of(std::string_view pointer) const {
  while (true) {
    const auto found = lines.find(std::string(pointer));
    if (found != lines.end()) return found->second;
    if (pointer.empty()) return 0;
    pointer =
        pointer.substr(0, pointer.rfind('/') == std::string_view::npos ? 0 : pointer.rfind('/'));
  }
}

ConfigErrors LoadedDocument::errors_of(const Error& error) const {
  ConfigErrors errors;
  for (const FieldError& field : error.fields) {
    errors.push_back({file, line_of(field.pointer), path_of(field.pointer), field.detail});
  }
  if (errors.empty()) errors.push_back({file, 0, "", error.detail});
  return errors;
}

std::expected<LoadedDocument, ConfigErrors> load_document(const std::string& file) {
  auto root = parse_yaml_file(file);
  if (!root) return std::unexpected(std::move(root).error());
  LoadedDocument loaded;
  loaded.file = file;
  loaded.document = value_of(*root, "", loaded.lines);
  return loaded;
}

}  // namespace postrider
