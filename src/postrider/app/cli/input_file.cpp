#include "postrider/app/cli/input_file.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace postrider {
namespace {

constexpr std::size_t part_bytes = 256U << 10;

}  // namespace

Result<InputFile> InputFile::open(const std::string& path, int standard_input) {
  if (path == "-") return InputFile("standard input", standard_input, false);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail(Code::invalid_argument, "cannot read {}: {}", path, std::strerror(errno));
  }
  return InputFile(path, descriptor, true);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(other.descriptor_),
      owned_(std::exchange(other.owned_, false)) {}

InputFile::~InputFile() {
  if (owned_) ::close(descriptor_);
}

Result<std::string> InputFile::read_part() {
  std::string part(part_bytes, '\0');
  const ssize_t count = ::read(descriptor_, part.data(), part.size());
  if (count < 0 && errno == EINTR) return fail(Code::stopping, "interrupted");
  if (count < 0) {
    return fail(Code::invalid_argument, "cannot read {}: {}", path_, std::strerror(errno));
  }
  part.resize(static_cast<std::size_t>(count));
  return part;
}

bool InputFile::is_ready() const {
  pollfd waited{};
  waited.fd = descriptor_;
  waited.events = POLLIN;
  return ::poll(&waited, 1, 0) > 0;
}

std::optional<std::uint64_t> InputFile::size() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace postrider
