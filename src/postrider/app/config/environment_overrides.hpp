#pragma once

#include "postrider/app/config/setting_table.hpp"
#include "postrider/app/config/settings_checks.hpp"
#include "postrider/app/config/settings_loader.hpp"

namespace postrider {

/// Applies every `POSTRIDER_…` variable to its setting. Unknown ones are mistakes, but for those
/// that the client commands read.
void apply_environment(const SettingTable& table, const Environment& environment,
                       SettingOrigins& origins, ConfigErrors& errors);

}  // namespace postrider
