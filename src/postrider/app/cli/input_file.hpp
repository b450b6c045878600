#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "postrider/base/result.hpp"

namespace postrider {

/// A file or standard input, read in parts as they come.
class InputFile {
 public:
  /// "-" is the descriptor `standard_input`. Errors: `invalid_argument` naming the file.
  static Result<InputFile> open(const std::string& path, int standard_input);

  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  /// Waits for a part; an empty one is the end. Errors: `stopping` when a signal came,
  /// `invalid_argument` naming the file.
  Result<std::string> read_part();
  /// Whether the next part, or the end, is there without waiting.
  [[nodiscard]] bool is_ready() const;
  /// The length, when it is known.
  [[nodiscard]] std::optional<std::uint64_t> size() const;

 private:
  InputFile(std::string path, int descriptor, bool owned)
      : path_(std::move(path)), descriptor_(descriptor), owned_(owned) {}

  std::string path_;
  int descriptor_;
  bool owned_;
};

}  // namespace postrider
