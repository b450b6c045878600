// A configuration: variables of the environment, an empty line, and the file.
#include <fstream>

#include "fuzz/input.hpp"

#include "postrider/app/config/settings_loader.hpp"
#include "postrider/base/assert.hpp"
#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

Environment take_environment(FuzzInput& input) {
  Environment environment;
  for (std::string_view line = input.take_line(); !line.empty(); line = input.take_line()) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return environment;
}

/// In a folder of this process's own, so that a file that is named relatively is in there.
const std::string& file() {
  static const TemporaryFolder folder;
  static const std::string path = folder.file("postrider.yaml");
  return path;
}

}  // namespace
}  // namespace postrider

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  FuzzInput input(data, size);
  const Environment environment = take_environment(input);
  std::ofstream(file(), std::ios::trunc) << input.rest();
  const auto settings = load_settings(file(), environment);
  if (settings) return 0;
  POSTRIDER_ASSERT(!settings.error().empty(), "refused without a reason");
  for (const ConfigError& error : settings.error()) {
    POSTRIDER_ASSERT(!format_config_error(error).empty(), "a mistake without words");
  }
  return 0;
}
