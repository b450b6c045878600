#include "postrider/app/cli/service_table.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

constexpr const char* services = R"({"services":[
  {"id":"irc","kind":"matrix","state":"up","behind":0,"next_attempt_at":null,"last_error":null},
  {"id":"telegram","kind":"webhook","state":"untested","behind":1200,
   "next_attempt_at":"2024-01-01T00:00:00Z",
   "last_error":"answered 500\nsorry"}]})";

TEST(ServiceTable, aligns_columns_and_keeps_a_cause_on_its_line) {
  const auto table = service_table(services, false);
  ASSERT_TRUE(table);
  EXPECT_EQ(*table,
            "ID        KIND     STATE     BEHIND  NEXT ATTEMPT          LAST ERROR\n"
            "irc       matrix   up             0\n"
            "telegram  webhook  untested    1200  2024-01-01T00:00:00Z  answered 500 sorry\n");
}

TEST(ServiceTable, is_coloured_only_when_asked_to) {
  EXPECT_NE(service_table(services, true)->find("\x1b[33muntested"), std::string::npos);
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

TEST(PingOutcome, is_told_in_words) {
  const auto good = ping_outcome(R"({"state":"up","status":200,"duration_ms":3,"error":null})");
  EXPECT_TRUE(good.is_good);
  EXPECT_EQ(good.text, "answered HTTP 200 in 3 ms; it is up");
  const auto bad = ping_outcome(R"({"state":"down","status":500,"error":"answered HTTP 500"})");
  EXPECT_FALSE(bad.is_good);
  EXPECT_EQ(bad.text, "answered HTTP 500; it is down");
  EXPECT_FALSE(ping_outcome("").is_good);
}

}  // namespace
}  // namespace postrider
