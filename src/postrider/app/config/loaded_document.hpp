#pragma once

#include <expected>
#include <map>
#include <string>

#include <boost/json/value.hpp>

#include "postrider/app/config/config_error.hpp"
#include "postrider/base/error.hpp"

namespace postrider {

/// A YAML (or JSON) file as a JSON document that remembers its lines.
struct LoadedDocument {
  std::string file;
  boost::json::value document;
  std::map<std::string, int> lines;  ///< by RFC 6901 pointer; the root is ""

  /// The line of the value, or of the nearest one around it that exists.
  [[nodiscard]] int line_of(std::string_view pointer) const;

  /// Shows what was found wrong with the document at its places in the file.
  [[nodiscard]] ConfigErrors errors_of(const Error& error) const;
};

/// Plain scalars get the type that YAML's core schema gives them (null, booleans, whole and
/// floating numbers); what is in quotes is a text. Errors: those of `parse_yaml_file`.
std::expected<LoadedDocument, ConfigErrors> load_document(const std::string& file);

}  // namespace postrider
