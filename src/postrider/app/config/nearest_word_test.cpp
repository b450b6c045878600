#include "postrider/app/config/nearest_word.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(NearestWord, finds_a_mistyped_word) {
  const std::vector<std::string> words = {"listen", "threads", "connections_max"};
  EXPECT_EQ(nearest_word("lisen", words), "listen");
  EXPECT_EQ(nearest_word("thread", words), "threads");
  EXPECT_EQ(nearest_word("connection_maks", words), "connections_max");
}

TEST(NearestWord, takes_the_nearer_of_two) {
  EXPECT_EQ(nearest_word("mix", {"man", "max"}), "max");
}

TEST(NearestWord, suggests_nothing_far_away) {
  EXPECT_EQ(nearest_word("colour", {"listen", "threads"}), std::nullopt);
  EXPECT_EQ(nearest_word("ab", {"xy"}), std::nullopt);
  EXPECT_EQ(nearest_word(std::string(1000, 'a'), {"a"}), std::nullopt);
}

}  // namespace
}  // namespace postrider
