#pragma once

#include <map>
#include <string>

#include "postrider/app/config/config_error.hpp"
#include "postrider/app/config/settings.hpp"

namespace postrider {

/// Where a setting got its value. Settings that kept their default are not in the map.
struct SettingOrigin {
  std::string file;  ///< or "environment"
  int line = 0;
  std::string name;  ///< the path, or the variable
};
using SettingOrigins = std::map<std::string, SettingOrigin>;

/// What no setting can know alone: reads the token files into `settings`, and checks settings
/// against one another.
void check_settings(Settings& settings, const SettingOrigins& origins, ConfigErrors& errors);

}  // namespace postrider
