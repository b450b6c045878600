#include "postrider/app/config/machine_memory.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

class CgroupMemory : public testing::Test {
 protected:
  /// Of a process in the group.
  std::uint64_t limit(const std::string& line) {
    return cgroup_memory_bytes(folder_.write("cgroup", line), folder_.file("fs"));
  }
  void set(const std::string& file, const std::string& text) {
    (void)folder_.write("fs/" + file, text);
  }
  TemporaryFolder folder_;
};

TEST_F(CgroupMemory, is_that_of_the_group_or_of_one_above_it) {
  set("a/b/memory.max", "2000\n");
  EXPECT_EQ(limit("0::/a/b\n"), 2000U);
  EXPECT_EQ(limit("1:name=systemd:/x\n0::/a/b\n"), 2000U);
  set("a/memory.max", "max\n");
  EXPECT_EQ(limit("0::/a/b\n"), 2000U);
  set("a/memory.max", "1000\n");
  EXPECT_EQ(limit("0::/a/b\n"), 1000U);
  EXPECT_EQ(limit("0::/\n"), no_limit);
  set("memory.max", "500\n");
  EXPECT_EQ(limit("0::/\n"), 500U);
}

TEST_F(CgroupMemory, of_version_1_is_known_too) {
  set("memory/memory.limit_in_bytes", "4096\n");
  EXPECT_EQ(limit("4:memory:/\n"), 4096U);
}

TEST_F(CgroupMemory, is_unlimited_without_a_group) {
  EXPECT_EQ(limit(""), no_limit);
  EXPECT_EQ(cgroup_memory_bytes(folder_.file("none"), folder_.file("none")), no_limit);
}

TEST(MachineMemory, of_this_machine_is_known) {
  EXPECT_GT(machine_memory_bytes(), 64U << 20);
  EXPECT_LT(machine_memory_bytes(), no_limit);
}

}  // namespace
}  // namespace postrider
