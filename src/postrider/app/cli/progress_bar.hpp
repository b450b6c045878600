#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace postrider {

/// One line of text: `[#####-----]  50 %  what`.
std::string progress_line(std::uint64_t done, std::uint64_t total, std::string_view what);
/// What of an append: `12.0 of 24.0 MiB  1000 facts`.
std::string progress_of_bytes(std::uint64_t done_bytes, std::uint64_t total_bytes,
                              std::int64_t fact_count);

/// Shows how far something long is, on a terminal. Draws only when a percent was gained.
class ProgressBar {
 public:
  /// Draws nothing without a total.
  ProgressBar(std::ostream& err, std::optional<std::uint64_t> total) : err_(err), total_(total) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// Leaves the line empty.
  ~ProgressBar();

  void advance(std::uint64_t done, std::string_view what);

 private:
  std::ostream& err_;
  std::optional<std::uint64_t> total_;
  int percent_ = -1;
};

}  // namespace postrider
