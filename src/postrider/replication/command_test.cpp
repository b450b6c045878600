#include "postrider/replication/command.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

Command parsed(std::string_view line) {
  return parse_command(line).value();
}

TEST(Command, has_a_stable_text_form_that_is_read_as_the_same) {
  const std::vector<std::pair<std::string, Command>> commands = {
      {"REPLICATE", ReplicateCommand{}},
      {"POSITION events w1 5 9 3",
       PositionCommand{"events", "w1", StreamId{5}, StreamId{9}, SessionKey{3}}},
      {R"(RDATA events w1 9 ["a b",{}])",
       RdataCommand{"events", "w1", StreamId{9}, R"(["a b",{}])"}},
      {"RDATA events w1 batch [1]", RdataCommand{"events", "w1", std::nullopt, "[1]"}},
      {"CLEAR_SESSION w1", ClearSessionCommand{"w1"}},
      {"NAME w1", NameCommand{"w1"}},
      {"PING 17 x", PingCommand{"17 x"}},
      {"REMOTE_SERVER_UP irc bridge", RemoteServerUpCommand{"irc bridge"}},
      {"ERROR of mine", ErrorCommand{"of mine"}},
  };
  for (const auto& [line, command] : commands) {
    EXPECT_EQ(format_command(command), line);
    EXPECT_EQ(parsed(line), command) << line;
  }
  EXPECT_EQ(parsed("REPLICATE "), Command(ReplicateCommand{}));
  EXPECT_EQ(parsed("PING"), Command(PingCommand{}));
}

TEST(Command, refuses_what_is_none) {
  for (const char* line : {"",
                           " ",
                           "NO",
                           "replicate",
                           "REPLICATE now",
                           "POSITION",
                           "POSITION events w1 5 9",
                           "POSITION events w1 9 5 3",
                           "POSITION events w1 -5 9 3",
                           "POSITION events w1 5 9 3 4",
                           "POSITION events w1 5 x 3",
                           "POSITION  w1 5 9 3",
                           "RDATA",
                           "RDATA events w1 9",
                           "RDATA events w1 9 ",
                           "RDATA events w1 later [1]",
                           "RDATA events w1 9x [1]",
                           "NAME",
                           "NAME a b",
                           "CLEAR_SESSION",
                           "POSITION events w1 5 99999999999999999999 3"}) {
    EXPECT_FALSE(parse_command(line)) << line;
  }
}

TEST(Command, repeats_little_of_a_wrong_line) {
  EXPECT_LT(parse_command(std::string(100'000, 'x')).error().detail.size(), 200U);
}

}  // namespace
}  // namespace postrider
