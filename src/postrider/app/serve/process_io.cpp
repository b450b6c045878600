#include "postrider/app/serve/process_io.hpp"

#include <fstream>
#include <string>

namespace postrider {

std::optional<std::uint64_t> storage_written_bytes() {
  std::ifstream counters("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (counters >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return std::nullopt;
}

}  // namespace postrider
