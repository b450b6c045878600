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

  ProcessLock() = default;
  ProcessLock(ProcessLock&& other) noexcept;
  ProcessLock& operator=(ProcessLock&& other) noexcept;
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;
  ~ProcessLock();

 private:
  int descriptor_ = -1;
};

}  // namespace postrider
