#include "postrider/app/cli/service_table.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

constexpr const char* services = R"({"services":[
  {"id":"irc","state":"up","behind":0,"next_attempt_at":null,"last_error":null},
  {"id":"telegram","state":"down","behind":1200,"next_attempt_at":"2024-01-01T00:00:00Z",
   "last_error":"answered 500\nsorry"}]})";

TEST(ServiceTable, aligns_columns_and_keeps_a_cause_on_its_line) {
  const auto table = service_table(services, false);
  ASSERT_TRUE(table);
  EXPECT_EQ(*table,
            "ID        STATE   BEHIND  NEXT ATTEMPT          LAST ERROR\n"
            "irc       up           0\n"
            "telegram  down      1200  2024-01-01T00:00:00Z  answered 500 sorry\n");
}

TEST(ServiceTable, is_coloured_only_when_asked_to) {
  EXPECT_NE(service_table(services, true)->find("\x1b[31mdown"), std::string::npos);
  EXPECT_EQ(service_table(services, false)->find('\x1b'), std::string::npos);
}

TEST(ServiceTable, refuses_what_is_something_else) {
  EXPECT_FALSE(service_table("[]", false));
  EXPECT_FALSE(service_table("", false));
}

TEST(ServiceState, is_empty_when_there_is_none) {
  EXPECT_EQ(service_state(R"({"state":"paused"})"), "paused");
  EXPECT_EQ(service_state(""), "");
}

}  // namespace
}  // namespace postrider
