#pragma once

#include <string>

#include "postrider/base/result.hpp"

namespace postrider {

/// The whole of a small file. Errors (`invalid_argument`, without the file's name): missing, not
/// readable, a folder, over 16 MiB.
Result<std::string> read_text_file(const std::string& file);

/// Writes a file that only its owner can read, all or nothing: a crash leaves the old file, or
/// none. Errors (`storage_failed`) name the file and the reason.
Result<void> write_private_file(const std::string& file, const std::string& content);

}  // namespace postrider
