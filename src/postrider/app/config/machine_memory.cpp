#include "postrider/app/config/machine_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include <unistd.h>

namespace postrider {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// Nothing but a number is a limit: neither "max" nor a file that is not there.
std::uint64_t limit_in(const fs::path& file) {
  std::uint64_t bytes = 0;
  return std::ifstream(file) >> bytes ? bytes : no_limit;
}

/// Of the group and those above it, in version 2.
std::uint64_t limit_of(const fs::path& root, const fs::path& group) {
  std::uint64_t bytes = limit_in(root / "memory.max");
  fs::path below = root;
  for (const fs::path& name : group.relative_path()) {
    below /= name;
    bytes = std::min(bytes, limit_in(below / "memory.max"));
  }
  return bytes;
}

}  // namespace

std::uint64_t cgroup_memory_bytes(const fs::path& proc_cgroup, const fs::path& root) {
  std::uint64_t bytes = limit_in(root / "memory" / "memory.limit_in_bytes");  // version 1
  std::ifstream lines(proc_cgroup);
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view version_2 = "0::";
    if (line.starts_with(version_2)) {
      bytes = std::min(bytes, limit_of(root, line.substr(version_2.size())));
    }
  }
  return bytes;
}

std::uint64_t machine_memory_bytes() {
  const auto pages = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
  return std::min(pages * page, cgroup_memory_bytes("/proc/self/cgroup", "/sys/fs/cgroup"));
}

}  // namespace postrider
