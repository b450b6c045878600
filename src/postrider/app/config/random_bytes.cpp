#include "postrider/app/config/random_bytes.hpp"

#include <cerrno>

#include <sys/random.h>

#include "postrider/base/assert.hpp"

namespace postrider {

void system_random_bytes(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    POSTRIDER_ASSERT(count > 0, "getrandom failed with errno {}", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace postrider
