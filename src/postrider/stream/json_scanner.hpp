#pragma once

#include <cstddef>
#include <string_view>

namespace postrider {

/// The white space that JSON allows around a value.
constexpr std::string_view json_white_space = " \t\n\r";

/// Follows arrays and objects through a JSON text, byte by byte. Counts brackets outside strings,
/// also of text that is not JSON.
class JsonScanner {
 public:
  void read(char c) {
    if (escaped_) {
      escaped_ = false;
    } else if (in_string_) {
      escaped_ = c == '\\';
      in_string_ = c != '"';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      --depth_;
    }
  }

  /// How many arrays and objects are open.
  [[nodiscard]] std::size_t depth() const { return depth_; }

 private:
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace postrider
