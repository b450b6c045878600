#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "postrider/app/config/config_error.hpp"
#include "postrider/app/config/environment.hpp"
#include "postrider/app/config/machine_memory.hpp"
#include "postrider/app/config/settings.hpp"

namespace postrider {

/// Defaults, then the file, then the variables `POSTRIDER_SECTION_KEY`; an empty variable counts
/// as not set, and a list is separated by commas. Then the token files are read, and `memory.max`
/// is shared out: without one, a quarter of `machine_bytes`. `file` may be empty: no file. On
/// failure every mistake is in the list, none twice.
std::expected<Settings, ConfigErrors> load_settings(
    const std::string& file, const Environment& environment,
    std::uint64_t machine_bytes = machine_memory_bytes());

/// The variable that overrides a setting: `delivery.backoff.min` is
/// `POSTRIDER_DELIVERY_BACKOFF_MIN`.
std::string variable_of(const std::string& path);

}  // namespace postrider
