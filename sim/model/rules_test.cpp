#include "sim/model/rules.hpp"

#include <gtest/gtest.h>

namespace postrider::sim {
namespace {

PlainFact message(const std::string& sender, const std::string& room = "!r:x") {
  PlainFact fact;
  fact.type = "m.room.message";
  fact.sender = sender;
  fact.room = room;
  return fact;
}

PlainFact member(const std::string& user, const std::string& membership) {
  PlainFact fact = message("@someone:x");
  fact.type = "m.room.member";
  fact.state_key = user;
  fact.membership = membership;
  return fact;
}

PlainFact named(std::vector<std::string> aliases) {
  PlainFact fact = message("@someone:x");
  fact.type = "m.room.canonical_alias";
  fact.state_key = "";
  fact.aliases = std::move(aliases);
  return fact;
}

const PlainRegistration irc{
    .sender_localpart = "bot", .users = {"@irc_"}, .rooms = {"!irc"}, .aliases = {"#irc_"}};

TEST(Rules, a_sender_a_member_and_a_room_that_match_are_of_interest) {
  const PlainRooms rooms("");
  EXPECT_TRUE(rooms.interests(irc, message("@irc_a:x")));
  EXPECT_TRUE(rooms.interests(irc, message("@bot:x")));
  EXPECT_TRUE(rooms.interests(irc, member("@irc_a:x", "invite")));
  EXPECT_TRUE(rooms.interests(irc, message("@someone:x", "!irc:x")));
  EXPECT_FALSE(rooms.interests(irc, message("@someone:x")));
}

TEST(Rules, the_own_sender_is_a_local_user) {
  const PlainRooms rooms("x");
  EXPECT_TRUE(rooms.interests(irc, message("@bot:x")));
  EXPECT_FALSE(rooms.interests(irc, message("@bot:elsewhere")));
}

TEST(Rules, a_room_is_of_interest_while_a_local_user_of_the_service_is_joined) {
  PlainRooms rooms("x");
  rooms.follow(member("@irc_a:elsewhere", "join"));
  EXPECT_FALSE(rooms.interests(irc, message("@someone:x")));
  rooms.follow(member("@irc_a:x", "join"));
  EXPECT_TRUE(rooms.interests(irc, message("@someone:x")));
  rooms.follow(member("@irc_a:x", "ban"));
  EXPECT_FALSE(rooms.interests(irc, message("@someone:x")));
}

TEST(Rules, a_room_is_of_interest_while_it_has_the_name_and_through_the_fact_that_takes_it) {
  PlainRooms rooms("");
  EXPECT_TRUE(rooms.interests(irc, named({"#irc_a:x"})));
  rooms.follow(named({"#irc_a:x"}));
  EXPECT_TRUE(rooms.interests(irc, message("@someone:x")));
  EXPECT_TRUE(rooms.interests(irc, named({})));
  rooms.follow(named({}));
  EXPECT_FALSE(rooms.interests(irc, message("@someone:x")));
}

TEST(Rules, a_webhook_gets_the_types_that_begin_so_of_its_streams_whoever_sends_them) {
  const PlainStream stream("s0", true, "");
  EXPECT_TRUE(stream.interests(PlainWebhook{{"m.room.me"}, {}}, message("@someone:x")));
  EXPECT_TRUE(stream.interests(PlainWebhook{{"other", ""}, {"s1", "s0"}}, message("@someone:x")));
  EXPECT_FALSE(stream.interests(PlainWebhook{{"m.room.member"}, {}}, message("@irc_a:x")));
  EXPECT_FALSE(stream.interests(PlainWebhook{{""}, {"s"}}, message("@irc_a:x")));
  EXPECT_FALSE(stream.interests(PlainWebhook{}, message("@irc_a:x")));
}

TEST(Rules, a_stream_without_rooms_is_for_webhooks_alone) {
  PlainStream stream("s0", false, "");
  stream.follow(member("@irc_a:x", "join"));
  EXPECT_FALSE(stream.interests(irc, message("@irc_a:x")));
  EXPECT_TRUE(stream.interests(PlainWebhook{{"m."}, {"s0"}}, message("@irc_a:x")));
}

}  // namespace
}  // namespace postrider::sim
