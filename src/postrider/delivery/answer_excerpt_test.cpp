#include "postrider/delivery/answer_excerpt.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace postrider {
namespace {

using Secrets = std::vector<std::string>;

TEST(AnswerExcerpt, is_the_beginning_in_printable_characters) {
  EXPECT_EQ(answer_excerpt("", {}), "");
  EXPECT_EQ(answer_excerpt("no\r\nroom \x1b[31m\xc3\xa4", {}), "no  room  [31m  ");
  EXPECT_EQ(answer_excerpt(std::string(300, 'x'), {}), std::string(200, 'x'));
  EXPECT_EQ(answer_excerpt("abcdef", {}, 3), "abc");
}

TEST(AnswerExcerpt, hides_every_secret_wherever_it_stands) {
  const Secrets secrets = {"hush_hush", "hush"};
  EXPECT_EQ(answer_excerpt("Bearer hush_hush; hush!", secrets), "Bearer [redacted]; [redacted]!");
  EXPECT_EQ(answer_excerpt("hushhush_hush", secrets), "[redacted][redacted]");
}

TEST(AnswerExcerpt, hides_a_secret_that_reaches_beyond_its_end) {
  const Secrets secrets = {std::string(5000, 's')};
  const std::string before(199, 'x');
  EXPECT_EQ(answer_excerpt(before + secrets[0] + "y", secrets), before + "[redacted]");
  EXPECT_EQ(answer_excerpt(secrets[0] + secrets[0] + "y", secrets), "[redacted][redacted]y");
}

TEST(AnswerExcerpt, hides_the_beginning_of_a_secret_that_the_answer_ends_in) {
  const Secrets secrets = {"hush_hush"};
  EXPECT_EQ(answer_excerpt("token hush_hus", secrets), "token [redacted]");
  EXPECT_EQ(answer_excerpt("token hush", secrets), "token [redacted]");
  EXPECT_EQ(answer_excerpt("token hus", secrets), "token hus");
  EXPECT_EQ(answer_excerpt("hush_ hush_hus.", secrets), "hush_ hush_hus.");
}

TEST(AnswerExcerpt, hides_a_secret_as_json_may_show_it) {
  const Secrets secrets = {"a/b/c"};
  EXPECT_EQ(answer_excerpt(R"("a\/b\/c" a/b/c)", secrets), R"("[redacted]" [redacted])");
  EXPECT_EQ(answer_excerpt(R"("a\/b)", secrets), R"("[redacted])");
}

TEST(AnswerExcerpt, does_not_look_for_what_is_too_short_to_be_a_secret) {
  const Secrets secrets = {"", "e", "the", "them"};
  EXPECT_EQ(answer_excerpt("the end of them", secrets), "the end of [redacted]");
}

}  // namespace
}  // namespace postrider
