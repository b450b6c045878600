#include "postrider/app/config/environment_overrides.hpp"

#include <algorithm>
#include <array>

#include "postrider/app/config/nearest_word.hpp"

namespace postrider {
namespace {

constexpr std::string_view variable_prefix = "POSTRIDER_";
constexpr std::array<std::string_view, 3> client_variables = {
    "POSTRIDER_URL", "POSTRIDER_ADMIN_URL", "POSTRIDER_TOKEN"};

YamlNode scalar_node(std::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.text = text;
  return node;
}

YamlNode list_node(std::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::sequence;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) node.children.push_back(scalar_node(item));
  }
  return node;
}

/// A secret of the environment replaces a secret file that the configuration names, and the other
/// way round.
void forget_replaced(const std::string& path, const SettingTable& table) {
  const std::string other = path == "tokens.admin"        ? "tokens.admin_file"
                            : path == "tokens.admin_file" ? "tokens.admin"
                                                          : "";
  if (other.empty()) return;
  ConfigErrors none;
  Complaints complaints("", "", none);
  table.find(other)->read(scalar_node(""), complaints);
}

std::string unknown_variable_fault(const std::string& name,
                                   const std::map<std::string, std::string>& paths) {
  std::vector<std::string> known;
  for (const auto& [variable, path] : paths) known.push_back(variable);
  if (const auto nearest = nearest_word(name, known)) {
    return fmt::format("no setting has this name; did you mean {}?", *nearest);
  }
  return "no setting has this name; allowed: POSTRIDER_SECTION_KEY, such as "
         "POSTRIDER_PUBLIC_LISTEN";
}

}  // namespace

std::string variable_of(const std::string& path) {
  std::string name(variable_prefix);
  for (const char c : path) {
    name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : '_');
  }
  return name;
}

void apply_environment(const SettingTable& table, const Environment& environment,
                       SettingOrigins& origins, ConfigErrors& errors) {
  std::map<std::string, std::string> paths;
  for (const auto& [path, setting] : table.all()) paths[variable_of(path)] = path;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(variable_prefix) || value.empty()) continue;
    if (std::ranges::find(client_variables, name) != client_variables.end()) continue;
    const auto known = paths.find(name);
    if (known == paths.end()) {
      errors.push_back({"environment", 0, name, unknown_variable_fault(name, paths)});
      continue;
    }
    const SettingTable::Setting& setting = *table.find(known->second);
    Complaints complaints("environment", name, errors);
    setting.read(setting.list ? list_node(value) : scalar_node(value), complaints);
    forget_replaced(known->second, table);
    origins[known->second] = {"environment", 0, name};
  }
}

}  // namespace postrider
