#include <algorithm>

#include <gtest/gtest.h>

#include "postrider/app/config/sections.hpp"
#include "postrider/app/config/settings_loader.hpp"

namespace postrider {
namespace {

/// The folder of the sources, from this file's own path.
std::string reference_file() {
  const std::string here = __FILE__;
  return here.substr(0, here.find("src/postrider/app")) + "examples/postrider.yaml";
}

void collect_paths(const YamlNode& node, const std::string& prefix, std::vector<std::string>& out) {
  for (const YamlNode& child : node.children) {
    out.push_back(prefix + child.key);
    collect_paths(child, prefix + child.key + ".", out);
  }
}

TEST(ReferenceFile, says_the_defaults) {
  const auto settings = load_settings(reference_file(), {}, std::uint64_t{8} << 30);
  ASSERT_TRUE(settings) << format_config_error(settings.error().at(0));
  EXPECT_EQ(*settings, Settings{});
}

TEST(ReferenceFile, lists_every_setting) {
  const auto document = parse_yaml_file(reference_file());
  ASSERT_TRUE(document);
  std::vector<std::string> written;
  collect_paths(*document, "", written);
  Settings settings;
  const SettingTable table = table_of_settings(settings);
  for (const auto& [path, setting] : table.all()) {
    EXPECT_NE(std::ranges::find(written, path), written.end()) << path << " is not in the file";
  }
}

}  // namespace
}  // namespace postrider
