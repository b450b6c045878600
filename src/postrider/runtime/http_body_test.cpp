#include "postrider/runtime/http_body.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(HttpBody, of_a_text_is_one_piece) {
  const HttpBody body("text");
  EXPECT_EQ(body.size(), 4U);
  EXPECT_EQ(body.pieces().size(), 1U);
  EXPECT_EQ(body.text(), "text");
  EXPECT_TRUE(HttpBody("").pieces().empty());
}

TEST(HttpBody, that_is_small_is_copied) {
  const auto owner = std::make_shared<const std::string>("ab");
  const std::vector<std::string_view> items = {std::string_view(*owner).substr(0, 1),
                                               std::string_view(*owner).substr(1)};
  const auto body = HttpBody::joined("[", items, "]", owner);
  EXPECT_EQ(body->text(), "[a,b]");
  EXPECT_EQ(body->pieces().size(), 1U);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(HttpBody, that_is_large_shares_its_items_and_keeps_them) {
  auto owner = std::make_shared<const std::string>(100'000, 'x');
  const std::vector<std::string_view> items = {*owner, *owner};
  const auto body = HttpBody::joined(R"({"a":[)", items, "]}", owner);
  const std::string expected = R"({"a":[)" + *owner + "," + *owner + "]}";
  EXPECT_EQ(body->text(), expected);
  EXPECT_EQ(body->size(), expected.size());
  ASSERT_EQ(body->pieces().size(), 5U);
  EXPECT_EQ(body->pieces()[1].data(), owner->data());
  EXPECT_EQ(owner.use_count(), 2);
}

TEST(HttpBody, is_the_same_on_both_sides_of_the_limit) {
  for (const std::size_t bytes : {std::size_t{65'531}, std::size_t{65'532}, std::size_t{65'533}}) {
    const auto owner = std::make_shared<const std::string>(bytes, 'x');
    const std::vector<std::string_view> items = {*owner};
    const auto body = HttpBody::joined("[", items, "]", owner);
    EXPECT_EQ(body->text(), "[" + *owner + "]");
    EXPECT_EQ(body->size(), bytes + 2);
  }
}

}  // namespace
}  // namespace postrider
