#include "postrider/base/error.hpp"

#include <set>

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(ErrorTraits, every_code_has_one_row_with_its_own_name) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    const ErrorTraits& traits = error_traits(static_cast<Code>(i));
    EXPECT_TRUE(names.insert(traits.name).second) << traits.name;
    EXPECT_GE(traits.http_status, 400);
    EXPECT_LT(traits.http_status, 600);
  }
}

TEST(Error, context_is_put_in_front) {
  EXPECT_EQ((Error{Code::internal, "b"}).with("a").detail, "a: b");
}

}  // namespace
}  // namespace postrider
