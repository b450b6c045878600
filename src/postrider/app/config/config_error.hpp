#pragma once

#include <string>
#include <vector>

namespace postrider {

/// One mistake in the configuration.
struct ConfigError {
  std::string file;     ///< the file, or "environment"
  int line = 0;         ///< from 1; 0 when the mistake has no line
  std::string path;     ///< the setting (`delivery.backoff.min`) or the variable; may be empty
  std::string message;  ///< what is wrong; what is allowed
  bool operator==(const ConfigError&) const = default;
};

using ConfigErrors = std::vector<ConfigError>;

/// `FILE:LINE: key.path: message`, without the parts that are missing.
std::string format_config_error(const ConfigError& error);

/// By file in order of first appearance, then by line.
void sort_by_place(ConfigErrors& errors);

}  // namespace postrider
