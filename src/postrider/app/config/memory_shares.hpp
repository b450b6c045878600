#pragma once

#include <cstdint>

#include "postrider/app/config/settings_checks.hpp"

namespace postrider {

/// Divides `memory.max` between the settings that bound what is held in memory:
/// `storage.tail_cache`, `storage.block_cache`, `append.waiting_bytes_max`, `public.bodies_max` and
/// `delivery.in_flight_bytes_max`. Those that are set keep their value; the others have their
/// defaults, all smaller by the same factor if the defaults do not fit beside them. Error: those
/// that are set exceed a `memory.max` that is set. Without one it is a quarter of `machine_bytes`,
/// and no error.
void share_memory(Settings& settings, const SettingOrigins& origins, std::uint64_t machine_bytes,
                  ConfigErrors& errors);

}  // namespace postrider
