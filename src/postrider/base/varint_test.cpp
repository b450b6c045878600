#include "postrider/base/varint.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(Varint, round_trips_at_every_length) {
  for (int bits = 0; bits < 64; ++bits) {
    for (const std::uint64_t value : {(1ULL << bits) - 1, 1ULL << bits}) {
      std::string text;
      put_varint(text, value);
      std::string_view rest = text;
      EXPECT_EQ(take_varint(rest), value);
      EXPECT_TRUE(rest.empty());
    }
  }
}

TEST(Varint, refuses_truncated_overlong_and_too_large_numbers) {
  for (const std::string& text :
       {std::string(""), std::string("\x80"), std::string("\x80\x00", 2),
        std::string(10, '\xff') + "\x01", std::string(9, '\xff') + "\x02"}) {
    std::string_view rest = text;
    EXPECT_EQ(take_varint(rest), std::nullopt);
  }
}

}  // namespace
}  // namespace postrider
