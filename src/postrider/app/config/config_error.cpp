#include "postrider/app/config/config_error.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace postrider {

std::string format_config_error(const ConfigError& error) {
  std::string text = error.file;
  if (error.line > 0) text += fmt::format(":{}", error.line);
  if (!error.path.empty()) text += fmt::format(": {}", error.path);
  return text + ": " + error.message;
}

void sort_by_place(ConfigErrors& errors) {
  std::map<std::string, std::size_t> order;
  for (const ConfigError& error : errors) order.try_emplace(error.file, order.size());
  std::multimap<std::pair<std::size_t, int>, ConfigError> sorted;
  for (ConfigError& error : errors) {
    const std::pair place(order.at(error.file), error.line);
    sorted.emplace(place, std::move(error));
  }
  errors.clear();
  for (auto& [place, error] : sorted) errors.push_back(std::move(error));
}

}  // namespace postrider
