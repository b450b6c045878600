#include "postrider/drivers/sqlite/process_lock.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace postrider {
namespace {

std::string read_holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size() - 1, 0);
  std::string holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  holder.erase(holder.find_last_not_of('\n') + 1);
  return holder.empty() ? "unknown" : holder;
}

}  // namespace

Result<ProcessLock> ProcessLock::open(const std::string& path) {
  ProcessLock lock;
  lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock.descriptor_ >= 0) return lock;
  return fail(Code::storage_failed,
              "cannot open {}: {}; does its folder exist and may you write"
              " there?",
              path, std::strerror(errno));
}

Result<ProcessLock> ProcessLock::take_file_itself(const std::string& path) {
  TRY(ProcessLock lock, open(path));
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  return fail(Code::storage_locked,
              "{} is in use by another process, although its lock file is not; stop that process"
              " first or use another database",
              path);
}

bool ProcessLock::is_at(const std::string& path) const {
  struct stat locked{};
  struct stat named{};
  return ::fstat(descriptor_, &locked) == 0 && ::stat(path.c_str(), &named) == 0 &&
         locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

Result<ProcessLock> ProcessLock::take(const std::string& path, const std::string& subject) {
  TRY(ProcessLock lock, open(path));
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::storage_locked,
                "{} is in use by process {}; stop it first or use another database", subject,
                read_holder(lock.descriptor_));
  }
  const std::string holder = std::to_string(::getpid()) + "\n";
  const bool written =
      ::ftruncate(lock.descriptor_, 0) == 0 &&
      ::pwrite(lock.descriptor_, holder.data(), holder.size(), 0) == std::ssize(holder);
  if (!written)
    return fail(Code::storage_failed, "cannot write {}: {}", path, std::strerror(errno));
  return lock;
}

ProcessLock::ProcessLock(ProcessLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

ProcessLock& ProcessLock::operator=(ProcessLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

ProcessLock::~ProcessLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace postrider
