#include "postrider/app/config/memory_shares.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

constexpr std::uint64_t memory_max_min = 64U << 20;
struct Share {
  const char* path;
  std::size_t& bytes;
  bool is_set;
  std::uint64_t min = 1U << 20;
  std::uint64_t times = 1;  ///< that so many bytes are held

  [[nodiscard]] std::uint64_t held() const { return times * bytes; }
};

std::array<Share, 5> shares_of(Settings& settings, const SettingOrigins& origins) {
  const auto share = [&origins](const char* path, std::size_t& bytes) {
    return Share{path, bytes, origins.contains(path)};
  };
  EngineSettings& engine = settings.engine;
  std::array<Share, 5> shares = {
      share("storage.tail_cache", engine.streams.each.tail_cache_bytes),
      share("storage.block_cache", engine.streams.each.block_cache_bytes),
      share("append.waiting_bytes_max", engine.streams.each.waiting_bytes_max),
      share("public.bodies_max", settings.listener.bodies_bytes_max),
      share("delivery.in_flight_bytes_max", engine.in_flight_bytes_max)};
  // In a fleet, facts that come before their turn have as much again.
  if (is_postgres(settings.database)) shares[0].times = 2;
  for (const std::size_t one_append : {2U, 3U}) {
    shares[one_append].min = settings.public_api.batch_bytes_max;
  }
  return shares;
}

}  // namespace

void share_memory(Settings& settings, const SettingOrigins& origins, std::uint64_t machine_bytes,
                  ConfigErrors& errors) {
  const auto shares = shares_of(settings, origins);
  std::uint64_t set = 0;
  std::uint64_t unset = 0;
  std::string names;
  for (const Share& share : shares) {
    (share.is_set ? set : unset) += share.held();
    if (share.is_set) names += (names.empty() ? "" : ", ") + std::string(share.path);
  }
  const std::uint64_t max =
      settings.memory_max_bytes > 0 ? settings.memory_max_bytes : machine_bytes / 4;
  const auto complain = [&](std::string message) {
    const SettingOrigin& place = origins.at("memory.max");
    errors.push_back({place.file, place.line, place.name, std::move(message)});
  };
  if (settings.memory_max_bytes > 0 && max < memory_max_min) {
    return complain(
        fmt::format("{} is out of range; allowed: {} or more, or 0B for a quarter of "
                    "the machine",
                    format_size(max), format_size(memory_max_min)));
  }
  if (settings.memory_max_bytes > 0 && set > max) {
    return complain(fmt::format("{} is less than {} together ({}); raise it, or lower those",
                                format_size(max), names, format_size(set)));
  }
  const std::uint64_t left = max > set ? max - set : 0;
  if (unset <= left) return;
  for (const Share& share : shares) {
    if (share.is_set) continue;
    const double factor = static_cast<double>(left) / static_cast<double>(unset);
    const auto bytes = static_cast<std::uint64_t>(static_cast<double>(share.bytes) * factor);
    share.bytes = static_cast<std::size_t>(std::max(bytes, share.min));
  }
}

}  // namespace postrider
