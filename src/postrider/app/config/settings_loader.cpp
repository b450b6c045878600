#include "postrider/app/config/settings_loader.hpp"

#include <filesystem>

#include "postrider/app/config/environment_overrides.hpp"
#include "postrider/app/config/memory_shares.hpp"
#include "postrider/app/config/sections.hpp"
#include "postrider/app/config/settings_checks.hpp"
#include "postrider/app/config/yaml_document.hpp"

namespace postrider {
namespace {

class FileReader {
 public:
  FileReader(const std::string& file, const SettingTable& table, SettingOrigins& origins,
             ConfigErrors& errors)
      : file_(file), table_(table), origins_(origins), errors_(errors) {}

  void read_section(const YamlNode& node, const std::string& section) {
    if (node.kind == YamlNode::Kind::null) return;
    if (node.kind != YamlNode::Kind::map) {
      complain(node.line, section,
               SettingTable::kind_of(node) + " is not a map of settings; allowed: " +
                   fmt::format("{}", fmt::join(table_.keys_below(section), ", ")));
      return;
    }
    for (const YamlNode& child : node.children) {
      const std::string path = section.empty() ? child.key : section + "." + child.key;
      if (const SettingTable::Setting* setting = table_.find(path)) {
        origins_[path] = {file_, child.line, path};
        Complaints complaints(file_, path, errors_);
        setting->read(child, complaints);
      } else if (table_.is_section(path)) {
        read_section(child, path);
      } else {
        complain(child.key_line, path, unknown_key_fault(child.key, table_.keys_below(section)));
      }
    }
  }

 private:
  void complain(int line, const std::string& path, std::string message) {
    errors_.push_back({file_, line, path, std::move(message)});
  }

  const std::string& file_;
  const SettingTable& table_;
  SettingOrigins& origins_;
  ConfigErrors& errors_;
};

std::string resolved(const std::filesystem::path& folder, const std::string& path) {
  return path.empty() ? path : (folder / path).lexically_normal().string();
}

/// Paths of the file are relative to its folder, those of the environment to the working directory.
void resolve_paths(const std::string& file, const SettingOrigins& origins, Settings& settings) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  const auto written_in_file = [&](const std::string& path) {
    const auto origin = origins.find(path);
    return origin != origins.end() && origin->second.file == file;
  };
  if (written_in_file("services")) {
    for (std::string& service : settings.services) service = resolved(folder, service);
  }
  for (const auto& [path, field] : {std::pair{"tokens.admin_file", &settings.tokens.admin_file},
                                    {"tokens.producers_file", &settings.tokens.producers_file}}) {
    if (written_in_file(path)) *field = resolved(folder, *field);
  }
}

}  // namespace

std::expected<Settings, ConfigErrors> load_settings(const std::string& file,
                                                    const Environment& environment,
                                                    std::uint64_t machine_bytes) {
  Settings settings;
  const SettingTable table = table_of_settings(settings);
  SettingOrigins origins;
  ConfigErrors errors;
  if (!file.empty()) {
    auto document = parse_yaml_file(file);
    if (document) {
      FileReader(file, table, origins, errors).read_section(*document, "");
    } else {
      errors = std::move(document).error();
    }
  }
  apply_environment(table, environment, origins, errors);
  resolve_paths(file, origins, settings);
  check_settings(settings, origins, errors);
  share_memory(settings, origins, machine_bytes, errors);
  sort_by_place(errors);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return settings;
}

}  // namespace postrider
