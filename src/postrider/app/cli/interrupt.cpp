#include "postrider/app/cli/interrupt.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <limits>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

// A signal handler reaches nothing but what is static.
std::atomic<int> wake_descriptor = -1;
std::atomic<bool> signal_came = false;

void remember_signal(int number) {
  if (signal_came.exchange(true)) {
    ::signal(number, SIG_DFL);
    ::raise(number);
    return;
  }
  const std::uint64_t one = 1;
  // There is nothing to do when this fails, and nothing is lost: the flag is set.
  [[maybe_unused]] const ssize_t written = ::write(wake_descriptor.load(), &one, sizeof(one));
}

void poll_wake(int timeout_ms) {
  pollfd waited{};
  waited.fd = wake_descriptor.load();
  waited.events = POLLIN;
  ::poll(&waited, 1, timeout_ms);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  POSTRIDER_ASSERT(wake_descriptor.load() == -1, "two interrupt guards at a time");
  wake_descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  signal_came = false;
  struct sigaction action{};
  action.sa_handler = remember_signal;  // without SA_RESTART: a blocking read returns
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

InterruptGuard::~InterruptGuard() {
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  ::close(wake_descriptor.exchange(-1));
}

bool InterruptGuard::interrupted() const {
  return signal_came;
}

bool InterruptGuard::pause(Duration duration) const {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  const auto most = static_cast<std::int64_t>(std::numeric_limits<int>::max());
  if (!interrupted()) poll_wake(static_cast<int>(std::min(milliseconds, most)));
  return !interrupted();
}

void InterruptGuard::wait() const {
  while (!interrupted()) poll_wake(-1);
}

}  // namespace postrider
