#include "postrider/app/cli/progress_bar.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(ProgressLine, shows_share_size_and_count) {
  EXPECT_EQ(progress_line(5, 10, progress_of_bytes(5 << 20, 10 << 20, 1234)),
            "[###############---------------]  50 %  5.0 of 10.0 MiB  1234 facts");
  EXPECT_EQ(progress_line(0, 0, "all"), "[##############################] 100 %  all");
}

TEST(ProgressBar, draws_once_a_percent_and_leaves_no_line) {
  std::ostringstream out;
  {
    ProgressBar bar(out, 1000);
    bar.advance(10, "1");
    const std::size_t drawn = out.str().size();
    bar.advance(11, "2");
    EXPECT_EQ(out.str().size(), drawn);
    bar.advance(20, "3");
    EXPECT_GT(out.str().size(), drawn);
  }
  EXPECT_TRUE(out.str().ends_with("\r\x1b[K"));
}

TEST(ProgressBar, draws_nothing_without_a_total) {
  std::ostringstream out;
  ProgressBar(out, std::nullopt).advance(10, "1");
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace postrider
