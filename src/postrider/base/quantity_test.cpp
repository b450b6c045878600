#include "postrider/base/quantity.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

TEST(Duration, reads_each_unit) {
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds{250});
  EXPECT_EQ(parse_duration("10m").value(), minutes{10});
  EXPECT_EQ(parse_duration("7d").value(), hours{7 * 24});
}

TEST(Duration, refuses_what_is_not_a_whole_number_and_a_unit) {
  for (const char* text : {"", "10", "m", "1.5s", "-1s", " 1s", "1s ", "1w", "99999999999d"}) {
    const auto result = parse_duration(text);
    ASSERT_FALSE(result) << text;
    EXPECT_NE(result.error().detail.find(text), std::string::npos);
  }
}

TEST(Duration, writes_a_form_that_it_reads_back) {
  for (const char* text : {"250ms", "90s", "10m", "36h", "7d", "0ms"}) {
    EXPECT_EQ(format_duration(parse_duration(text).value()), text);
  }
}

TEST(Size, reads_binary_units_only) {
  EXPECT_EQ(parse_size("16MiB").value(), 16U << 20);
  EXPECT_EQ(parse_size("512B").value(), 512U);
  EXPECT_FALSE(parse_size("16MB"));
  EXPECT_FALSE(parse_size("16"));
  EXPECT_EQ(format_size(parse_size("64KiB").value()), "64KiB");
}

}  // namespace
}  // namespace postrider
