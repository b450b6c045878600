#pragma once

#include <cstdint>
#include <filesystem>

namespace postrider {

/// Bytes of memory that this process may use: the machine's, or less if a control group of Linux
/// says so, as that of a container or of a service of systemd does. Any thread.
std::uint64_t machine_memory_bytes();

/// The smallest limit of the control groups of the process that `proc_cgroup` is about (a file like
/// /proc/self/cgroup), which are mounted at `root`; the largest number when none has a limit.
std::uint64_t cgroup_memory_bytes(const std::filesystem::path& proc_cgroup,
                                  const std::filesystem::path& root);

}  // namespace postrider
