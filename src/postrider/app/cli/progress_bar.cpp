#include "postrider/app/cli/progress_bar.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace postrider {
namespace {

constexpr std::uint64_t bar_width = 30;
constexpr double mebibyte_bytes = 1024.0 * 1024.0;

std::uint64_t percent_of(std::uint64_t done, std::uint64_t total) {
  return total == 0 ? 100 : std::min<std::uint64_t>(100, done * 100 / total);
}

}  // namespace

std::string progress_line(std::uint64_t done, std::uint64_t total, std::string_view what) {
  const std::uint64_t percent = percent_of(done, total);
  const std::uint64_t filled = percent * bar_width / 100;
  return fmt::format("[{}{}] {:>3} %  {}", std::string(filled, '#'),
                     std::string(bar_width - filled, '-'), percent, what);
}

std::string progress_of_bytes(std::uint64_t done_bytes, std::uint64_t total_bytes,
                              std::int64_t fact_count) {
  return fmt::format("{:.1f} of {:.1f} MiB  {} facts",
                     static_cast<double>(done_bytes) / mebibyte_bytes,
                     static_cast<double>(total_bytes) / mebibyte_bytes, fact_count);
}

ProgressBar::~ProgressBar() {
  if (percent_ >= 0) err_ << "\r\x1b[K" << std::flush;
}

void ProgressBar::advance(std::uint64_t done, std::string_view what) {
  if (!total_) return;
  const int percent = static_cast<int>(percent_of(done, *total_));
  if (percent == percent_) return;
  percent_ = percent;
  err_ << '\r' << progress_line(done, *total_, what) << "\x1b[K" << std::flush;
}

}  // namespace postrider
