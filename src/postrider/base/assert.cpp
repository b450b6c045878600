#include "postrider/base/assert.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <poll.h>
#include <unistd.h>

#include "postrider/base/background_log.hpp"

namespace postrider {
namespace {

constexpr int wait_milliseconds = 1000;

/// The lines before it say how it came to that.
void wait_for_log() {
  constexpr int pause_milliseconds = 5;
  for (int waited = 0; waited < wait_milliseconds; waited += pause_milliseconds) {
    if (log_lines_waiting() == 0) return;
    poll(nullptr, 0, pause_milliseconds);
  }
}

}  // namespace

/// Nothing in here waits for who reads standard error: another thread may hold its lock and wait.
void invariant_broken(std::string_view expression, std::string_view message, std::string_view file,
                      int line) {
  std::array<char, 2048> text{};
  const auto end =
      fmt::format_to_n(text.begin(), text.size(), "postrider: broken invariant: {} ({}) at {}:{}\n",
                       message, expression, file, line);
  wait_for_log();
  pollfd out{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&out, 1, wait_milliseconds) == 1) {
    const auto size = std::min(end.size, text.size());
    static_cast<void>(!::write(STDERR_FILENO, text.data(), size));
  }
  std::abort();
}

}  // namespace postrider
