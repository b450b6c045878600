#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/app/config/config_error.hpp"

namespace postrider {

/// A YAML document as it was written: texts are not converted, and every node knows its line.
struct YamlNode {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  int line = 0;         ///< from 1
  bool quoted = false;  ///< a scalar in quotes or a block scalar: a text whatever it looks like
  std::string text;     ///< of a scalar
  std::string key;      ///< of a map's child
  int key_line = 0;     ///< of a map's child
  std::vector<YamlNode> children;  ///< of a sequence or a map, in order
};

/// Reads one document. An empty text is a null node. Errors, all with their line: syntax,
/// duplicate keys (each, naming the first), keys that are not texts, anchors and aliases, a second
/// document. `file` only names the input in errors.
std::expected<YamlNode, ConfigErrors> parse_yaml(std::string_view text, const std::string& file);

/// The same for a file; one that cannot be read, or is over 16 MiB, is an error too.
std::expected<YamlNode, ConfigErrors> parse_yaml_file(const std::string& file);

}  // namespace postrider
