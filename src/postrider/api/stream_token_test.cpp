#include "postrider/api/stream_token.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(StreamToken, round_trips) {
  for (const std::int64_t position : {0L, 1L, 9'223'372'036'854'775'807L}) {
    EXPECT_EQ(parse_stream_token(stream_token(StreamId{position})).value(), StreamId{position});
  }
}

TEST(StreamToken, refuses_what_was_never_given_out) {
  for (const char* text : {"", "s", "1", "m5~", "s-1", "s1x", "S1", "s9223372036854775808"}) {
    EXPECT_FALSE(parse_stream_token(text)) << text;
  }
}

}  // namespace
}  // namespace postrider
