#include "postrider/app/config/text_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace postrider {
namespace {

constexpr std::size_t file_bytes_max = 16 * 1024 * 1024;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::unexpected<Error> cannot_read() {
  return fail(Code::invalid_argument, "cannot be read: {}", std::strerror(errno));
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

Result<std::string> read_text_file(const std::string& file) {
  const File input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (input.get() < 0) return cannot_read();
  std::string content;
  std::array<char, 64 * 1024> part{};
  while (true) {
    const ssize_t count = ::read(input.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot_read();
    if (count == 0) return content;
    content.append(part.data(), static_cast<std::size_t>(count));
    if (content.size() > file_bytes_max) {
      return fail(Code::invalid_argument, "cannot be read: it is over 16 MiB");
    }
  }
}

Result<void> write_private_file(const std::string& file, const std::string& content) {
  const std::string unfinished = file + ".new";
  const auto failed = [&file, &unfinished] {
    const std::string reason = std::strerror(errno);
    ::unlink(unfinished.c_str());
    return fail(Code::storage_failed, "cannot write {}: {}", file, reason);
  };
  const File output(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (output.get() < 0) return failed();
  if (::fchmod(output.get(), 0600) != 0) return failed();
  if (!write_all(output.get(), content)) return failed();
  if (::rename(unfinished.c_str(), file.c_str()) != 0) return failed();
  return {};
}

}  // namespace postrider
