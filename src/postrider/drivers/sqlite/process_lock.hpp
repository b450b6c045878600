#pragma once

#include <string>

#include "postrider/base/result.hpp"

namespace postrider {

/// An exclusive lock on a file, held by this process until it ends or the object goes. The file
/// names the holder.
class ProcessLock {
 public:
  /// `subject` is what the message calls the locked thing. Errors: `storage_locked`, naming the
  /// holder's process ID; `storage_failed`.
  static Result<ProcessLock> take(const std::string& path, const std::string& subject);

  /// The same of a file that others write and read: nothing is written to it. Locks that SQLite
  /// takes are of another kind; those of this process end with the object.
  static Result<ProcessLock> take_file_itself(const std::string& path);

  /// Whether a file of that name is still the locked one. Any thread.
  [[nodiscard]] bool is_at(const std::string& path) const;

  ProcessLock() = default;
  ProcessLock(ProcessLock&& other) noexcept;
  ProcessLock& operator=(ProcessLock&& other) noexcept;
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;
  ~ProcessLock();

 private:
  static Result<ProcessLock> open(const std::string& path);

  int descriptor_ = -1;
};

}  // namespace postrider
