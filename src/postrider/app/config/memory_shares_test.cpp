#include "postrider/app/config/memory_shares.hpp"

#include <gtest/gtest.h>

#include "postrider/app/config/settings_loader.hpp"
#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

constexpr std::uint64_t mib = 1U << 20;
constexpr std::uint64_t defaults = 864 * mib;

class MemoryShares : public testing::Test {
 protected:
  std::expected<Settings, ConfigErrors> load(const std::string& text,
                                             std::uint64_t machine_bytes = 8 * defaults) {
    return load_settings(folder_.write("c.yaml", text), {}, machine_bytes);
  }
  static std::uint64_t sum(const Settings& settings) {
    const EngineSettings& engine = settings.engine;
    return engine.streams.each.tail_cache_bytes + engine.streams.each.block_cache_bytes +
           engine.streams.each.waiting_bytes_max + settings.listener.bodies_bytes_max +
           engine.in_flight_bytes_max;
  }
  std::string fault(const std::string& text) {
    const auto settings = load(text);
    if (settings) return "";
    return settings.error().front().message;
  }
  TemporaryFolder folder_;
};

TEST_F(MemoryShares, are_the_defaults_where_these_fit) {
  EXPECT_EQ(sum(*load("", 4 * defaults)), defaults);
  EXPECT_EQ(sum(*load("memory: {max: 864MiB}", mib)), defaults);
}

TEST_F(MemoryShares, get_smaller_together_where_they_do_not) {
  const Settings small = *load("", 2 * defaults);
  EXPECT_EQ(sum(small), defaults / 2);
  EXPECT_EQ(small.engine.streams.each.tail_cache_bytes, 32 * mib);
  EXPECT_EQ(small.engine.in_flight_bytes_max, 128 * mib);
  const Settings said = *load("memory: {max: 432MiB}");
  EXPECT_EQ(sum(said), defaults / 2);
}

TEST_F(MemoryShares, that_are_set_are_kept_and_the_others_have_the_rest) {
  const Settings settings =
      *load("memory: {max: 704MiB}\nstorage: {tail_cache: 304MiB, block_cache: 16MiB}");
  EXPECT_EQ(settings.engine.streams.each.tail_cache_bytes, 304 * mib);
  EXPECT_EQ(settings.engine.streams.each.block_cache_bytes, 16 * mib);
  EXPECT_EQ(settings.engine.in_flight_bytes_max, 128 * mib);
  EXPECT_EQ(sum(settings), 704 * mib);
}

TEST_F(MemoryShares, never_get_too_small_for_one_append) {
  const Settings settings = *load("storage: {tail_cache: 10GiB}", 1024 * mib);
  EXPECT_EQ(settings.engine.streams.each.tail_cache_bytes, 10'240 * mib);
  EXPECT_EQ(settings.engine.streams.each.waiting_bytes_max, 16 * mib);
  EXPECT_EQ(settings.listener.bodies_bytes_max, 16 * mib);
  EXPECT_EQ(settings.engine.in_flight_bytes_max, 1 * mib);
}

TEST_F(MemoryShares, count_what_a_fleet_holds_for_facts_before_their_turn) {
  const std::string fleet = "database: postgresql://u:p@h/d\ninstance_name: a\n";
  EXPECT_EQ(sum(*load(fleet + "memory: {max: 928MiB}")), defaults);
  EXPECT_LT(sum(*load(fleet + "memory: {max: 927MiB}")), defaults);
}

TEST_F(MemoryShares, of_less_than_what_is_set_are_refused) {
  EXPECT_EQ(fault("memory: {max: 320MiB}\nstorage: {tail_cache: 300MiB, block_cache: 20MiB}"), "");
  EXPECT_EQ(fault("memory: {max: 320MiB}\nstorage: {tail_cache: 300MiB, block_cache: 21MiB}"),
            "320MiB is less than storage.tail_cache, storage.block_cache together (321MiB); raise "
            "it, or lower those");
}

TEST_F(MemoryShares, of_less_than_64_mib_are_refused) {
  EXPECT_EQ(fault("memory: {max: 64MiB}"), "");
  EXPECT_EQ(fault("memory: {max: 65535KiB}"),
            "65535KiB is out of range; allowed: 64MiB or more, or 0B for a quarter of the machine");
  EXPECT_LE(sum(*load("memory: {max: 64MiB}")), 64 * mib);
}

}  // namespace
}  // namespace postrider
