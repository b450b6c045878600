#pragma once

#include <cstdint>

#include "postrider/app/config/setting_table.hpp"
#include "postrider/app/config/settings.hpp"

namespace postrider {

inline constexpr std::uint64_t kibibyte = 1024;
inline constexpr std::uint64_t mebibyte = 1024 * kibibyte;

// One function for each group of sections. The table fills the fields of `settings`, which must
// outlive it.
void add_server_sections(SettingTable& table, Settings& settings);
void add_token_section(SettingTable& table, Settings& settings);
void add_stream_sections(SettingTable& table, Settings& settings);
void add_delivery_sections(SettingTable& table, Settings& settings);

/// All of them.
SettingTable table_of_settings(Settings& settings);

}  // namespace postrider
