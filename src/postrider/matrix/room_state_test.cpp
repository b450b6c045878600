#include "postrider/matrix/room_state.hpp"

#include <array>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "postrider/matrix/testing/matrix_services.hpp"

namespace postrider {
namespace {

constexpr std::string_view room = "!room:h";

ServiceSet keys(std::initializer_list<std::int64_t> values) {
  ServiceSet services;
  for (const std::int64_t value : values) services.emplace_back(value);
  return services;
}

MatrixAttributes message(std::string_view sender, std::string_view room_id = room) {
  MatrixAttributes fact;
  fact.type = "m.room.message";
  fact.sender = sender;
  fact.room_id = room_id;
  return fact;
}

MatrixAttributes member(std::string_view sender, std::string_view user,
                        std::string_view membership) {
  MatrixAttributes fact = message(sender);
  fact.type = "m.room.member";
  fact.state_key = user;
  fact.membership = membership;
  return fact;
}

MatrixAttributes aliases(std::vector<std::string_view> names, std::string_view source = "") {
  MatrixAttributes fact = message("@alice:h");
  fact.type = source.empty() ? "m.room.canonical_alias" : "m.room.aliases";
  fact.state_key = source;
  fact.names_aliases = true;
  fact.aliases = std::move(names);
  return fact;
}

std::vector<ServiceInterest> services() {
  Namespaces irc;
  irc.users = {{"@irc_.*", true}};
  Namespaces mail;
  mail.aliases = {{"#mail_.*", false}, {"#post_.*", true}};
  Namespaces log;
  log.rooms = {{"!logged.*", false}};
  return {matrix_service(ServiceKey(1), "ircbot", irc),
          matrix_service(ServiceKey(2), "mailbot", mail),
          matrix_service(ServiceKey(3), "logbot", log)};
}

class RoomStateTest : public testing::Test {
 protected:
  ServiceSet decide(const MatrixAttributes& fact) {
    changes_ = {};
    return postrider::decide(index_, rooms_, fact, changes_);
  }

  CompiledIndex index_{services(), ""};
  RoomState rooms_;
  RoomChanges changes_;
};

TEST_F(RoomStateTest, gives_a_fact_to_the_services_of_its_sender) {
  EXPECT_EQ(decide(message("@irc_bob:h")), keys({1}));
  EXPECT_EQ(decide(message("@ircbot:h")), keys({1}));
  EXPECT_EQ(decide(message("@alice:h")), keys({}));
  EXPECT_TRUE(changes_.memberships.empty());
}

TEST_F(RoomStateTest, gives_an_invite_to_the_invited_service) {
  EXPECT_EQ(decide(member("@alice:h", "@ircbot:h", "invite")), keys({1}));
  EXPECT_EQ(decide(member("@alice:h", "@irc_bob:h", "invite")), keys({1}));
  EXPECT_EQ(decide(member("@alice:h", "@carol:h", "invite")), keys({}));
}

TEST_F(RoomStateTest, asks_the_state_key_of_memberships_only) {
  MatrixAttributes fact = member("@alice:h", "@irc_bob:h", "");
  EXPECT_EQ(decide(fact), keys({1}));
  fact.type = "m.room.other";
  EXPECT_EQ(decide(fact), keys({}));
}

TEST_F(RoomStateTest, gives_a_room_to_a_service_while_one_of_its_users_is_joined) {
  EXPECT_EQ(decide(message("@alice:h")), keys({}));
  EXPECT_EQ(decide(member("@irc_bob:h", "@irc_bob:h", "join")), keys({1}));
  EXPECT_EQ(decide(message("@alice:h")), keys({1}));
  EXPECT_EQ(decide(message("@alice:h", "!another:h")), keys({}));
  EXPECT_EQ(decide(member("@irc_eve:h", "@irc_eve:h", "join")), keys({1}));
  EXPECT_EQ(decide(member("@alice:h", "@irc_bob:h", "leave")), keys({1}));
  EXPECT_EQ(decide(message("@alice:h")), keys({1}));
  EXPECT_EQ(decide(member("@alice:h", "@irc_eve:h", "ban")), keys({1}));
  EXPECT_EQ(decide(message("@alice:h")), keys({}));
  EXPECT_EQ(rooms_.room_count(), 0U);
}

TEST_F(RoomStateTest, gives_the_fact_that_joins_to_the_services_of_the_room_already) {
  decide(member("@irc_bob:h", "@irc_bob:h", "join"));
  EXPECT_EQ(decide(member("@alice:h", "@alice:h", "join")), keys({1}));
}

TEST_F(RoomStateTest, counts_a_user_who_joins_again_once) {
  decide(member("@irc_bob:h", "@irc_bob:h", "join"));
  decide(member("@irc_bob:h", "@irc_bob:h", "join"));
  EXPECT_TRUE(changes_.memberships.empty());
  decide(member("@irc_bob:h", "@irc_bob:h", "leave"));
  EXPECT_EQ(decide(message("@alice:h")), keys({}));
}

TEST_F(RoomStateTest, takes_a_malformed_membership_for_no_change) {
  decide(member("@irc_bob:h", "@irc_bob:h", "join"));
  EXPECT_EQ(decide(member("@alice:h", "@irc_bob:h", "")), keys({1}));
  EXPECT_TRUE(changes_.memberships.empty());
  EXPECT_EQ(decide(message("@alice:h")), keys({1}));
}

TEST_F(RoomStateTest, stores_the_membership_of_every_user) {
  decide(member("@alice:h", "@alice:h", "join"));
  EXPECT_EQ(changes_.memberships,
            (std::vector<MembershipChange>{{std::string(room), "@alice:h", true}}));
  EXPECT_EQ(rooms_.room_count(), 0U);
  decide(member("@alice:h", "@alice:h", "leave"));
  EXPECT_EQ(changes_.memberships,
            (std::vector<MembershipChange>{{std::string(room), "@alice:h", false}}));
  decide(member("@irc_bob:h", "@irc_bob:h", "knock"));
  EXPECT_EQ(changes_.memberships,
            (std::vector<MembershipChange>{{std::string(room), "@irc_bob:h", false}}));
}

TEST_F(RoomStateTest, gives_a_room_by_its_id) {
  EXPECT_EQ(decide(message("@alice:h", "!logged_1:h")), keys({3}));
  EXPECT_EQ(decide(message("@irc_bob:h", "!logged_1:h")), keys({1, 3}));
}

TEST_F(RoomStateTest, gives_a_room_by_any_of_its_aliases) {
  EXPECT_EQ(decide(aliases({"#other:h", "#mail_a:h"})), keys({2}));
  EXPECT_EQ(decide(message("@alice:h")), keys({2}));
  EXPECT_EQ(decide(message("@irc_bob:h")), keys({1, 2}));
  EXPECT_EQ(changes_.aliases.size(), 0U);
}

TEST_F(RoomStateTest, gives_the_fact_that_takes_the_alias_away_and_no_later_one) {
  decide(aliases({"#mail_a:h"}));
  EXPECT_EQ(decide(aliases({})), keys({2}));
  EXPECT_EQ(changes_.aliases,
            (std::vector<AliasChange>{{std::string(room), "m.room.canonical_alias", {}}}));
  EXPECT_EQ(decide(message("@alice:h")), keys({}));
  EXPECT_EQ(rooms_.room_count(), 0U);
}

TEST_F(RoomStateTest, keeps_the_sources_of_aliases_apart) {
  decide(aliases({"#mail_a:h"}));
  decide(aliases({"#mail_b:h", "#x:h"}, "h"));
  EXPECT_EQ(
      changes_.aliases,
      (std::vector<AliasChange>{{std::string(room), "m.room.aliases/h", {"#mail_b:h", "#x:h"}}}));
  decide(aliases({}));
  EXPECT_EQ(decide(message("@alice:h")), keys({2}));
  decide(aliases({"#nothing:h"}, "h"));
  EXPECT_EQ(decide(message("@alice:h")), keys({}));
}

TEST_F(RoomStateTest, counts_several_aliases_of_one_service_in_one_source_once) {
  decide(aliases({"#mail_a:h", "#post_a:h", "#mail_a:h"}));
  decide(aliases({"#post_a:h"}));
  EXPECT_EQ(decide(message("@alice:h")), keys({2}));
  decide(aliases({}));
  EXPECT_EQ(decide(message("@alice:h")), keys({}));
}

TEST_F(RoomStateTest, keeps_a_room_for_its_alias_when_the_users_are_gone) {
  decide(aliases({"#mail_a:h"}));
  decide(member("@irc_bob:h", "@irc_bob:h", "join"));
  EXPECT_EQ(decide(message("@alice:h")), keys({1, 2}));
  decide(member("@irc_bob:h", "@irc_bob:h", "leave"));
  EXPECT_EQ(decide(message("@alice:h")), keys({2}));
}

TEST_F(RoomStateTest, ignores_what_belongs_to_no_room) {
  MatrixAttributes fact = member("@irc_bob:h", "@irc_bob:h", "join");
  fact.room_id = "";
  EXPECT_EQ(decide(fact), keys({1}));
  EXPECT_TRUE(changes_.memberships.empty());
  EXPECT_EQ(rooms_.room_count(), 0U);
}

TEST_F(RoomStateTest, is_the_same_when_it_is_restored_from_what_was_stored) {
  const ServiceSet all = keys({1, 2, 3});
  rooms_.restore_member(index_, all, room, "@alice:h");
  rooms_.restore_member(index_, all, room, "@irc_bob:h");
  rooms_.restore_member(index_, all, room, "@irc_eve:h");
  rooms_.restore_alias(index_, all, room, "m.room.canonical_alias", "#mail_a:h");
  rooms_.restore_alias(index_, all, room, "m.room.canonical_alias", "#post_a:h");
  rooms_.restore_alias(index_, all, room, "m.room.canonical_alias", "#other:h");
  EXPECT_EQ(decide(message("@alice:h")), keys({1, 2}));
  decide(member("@irc_bob:h", "@irc_bob:h", "leave"));
  EXPECT_EQ(decide(message("@alice:h")), keys({1, 2}));
  decide(member("@irc_eve:h", "@irc_eve:h", "leave"));
  EXPECT_EQ(decide(message("@alice:h")), keys({2}));
  decide(aliases({}));
  EXPECT_EQ(decide(message("@alice:h")), keys({}));
}

TEST(RoomState, counts_only_local_users_when_the_server_name_is_known) {
  CompiledIndex index(services(), "h");
  RoomState rooms;
  RoomChanges changes;
  decide(index, rooms, member("@irc_bob:far", "@irc_bob:far", "join"), changes);
  EXPECT_EQ(changes.memberships.size(), 1U);
  EXPECT_EQ(decide(index, rooms, message("@alice:h"), changes), keys({}));
  EXPECT_EQ(decide(index, rooms, message("@irc_bob:far"), changes), keys({1}));
  decide(index, rooms, member("@irc_bob:h", "@irc_bob:h", "join"), changes);
  EXPECT_EQ(decide(index, rooms, message("@alice:h"), changes), keys({1}));
  decide(index, rooms, member("@irc_bob:far", "@irc_bob:far", "leave"), changes);
  EXPECT_EQ(decide(index, rooms, message("@alice:h"), changes), keys({1}));
}

TEST(RoomState, tells_services_that_come_and_go_in_a_room_apart) {
  Namespaces three;
  three.users = {{"@b", false}, {"@c", false}};
  Namespaces five;
  five.users = {{"@a", false}, {"@b", false}};
  Namespaces seven;
  seven.users = {{"@c", false}};
  CompiledIndex index(
      {matrix_service(ServiceKey(3), "three", three), matrix_service(ServiceKey(5), "five", five),
       matrix_service(ServiceKey(7), "seven", seven)},
      "");
  RoomState rooms;
  RoomChanges changes;
  const auto after = [&](std::string_view user, std::string_view membership) {
    decide(index, rooms, member(user, user, membership), changes);
    return rooms.interested(room);
  };
  EXPECT_EQ(after("@a:h", "join"), keys({5}));
  EXPECT_EQ(after("@b:h", "join"), keys({3, 5}));
  EXPECT_EQ(after("@c:h", "join"), keys({3, 5, 7}));
  EXPECT_EQ(after("@b:h", "leave"), keys({3, 5, 7}));
  EXPECT_EQ(after("@a:h", "leave"), keys({3, 7}));
  EXPECT_EQ(after("@c:h", "leave"), keys({}));
}

/// Members, aliases and rules that change at random: removing what changed and restoring it from
/// the rows gives what restoring everything would give.
TEST(RoomState, is_after_a_change_of_rules_as_if_it_had_been_restored_by_them) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](std::size_t bound) {
      return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    };
    const auto draw_interest = [&below] {
      Namespaces namespaces;
      if (below(3) != 0) namespaces.users = {{fmt::format("@{}", below(4)), false}};
      if (below(3) == 0) namespaces.aliases = {{fmt::format("#{}", below(3)), false}};
      return std::make_shared<const MatrixInterest>("bot", namespaces);
    };
    std::vector<std::array<std::string, 2>> members;
    std::vector<std::array<std::string, 3>> named;
    for (std::size_t room_number = 0; room_number < 3; ++room_number) {
      const std::string name = fmt::format("!{}", room_number);
      for (std::size_t user = 0; user < 4; ++user) {
        if (below(2) == 0) members.push_back({name, fmt::format("@{}:h", user)});
      }
      for (std::size_t alias = 0; alias < 3; ++alias) {
        if (below(2) == 0)
          named.push_back({name, fmt::format("{}", below(2)), fmt::format("#{}:h", alias)});
      }
    }
    const auto restore = [&](RoomState& rooms, NamespaceIndex& index, const ServiceSet& changed) {
      for (const auto& [name, user] : members) rooms.restore_member(index, changed, name, user);
      for (const auto& [name, source, alias] : named) {
        rooms.restore_alias(index, changed, name, source, alias);
      }
    };
    std::map<ServiceKey, std::shared_ptr<const Interest>> asked;
    RoomState rooms;
    std::vector<ServiceInterest> before;
    for (int step = 0; step < 20; ++step) {
      const ServiceKey service(static_cast<std::int64_t>(1 + below(5)));
      if (below(4) == 0) {
        asked.erase(service);
      } else {
        asked[service] = draw_interest();
      }
      std::vector<ServiceInterest> after;
      for (const auto& [key, interest] : asked) after.push_back({key, interest});
      CompiledIndex index(after, "");
      const ServiceSet changed = changed_services(before, after);
      rooms.remove_services(index, changed);
      restore(rooms, index, changed);
      RoomState anew;
      restore(anew, index, changed_services({}, after));
      ASSERT_EQ(rooms, anew) << "seed " << seed << " step " << step;
      before = after;
    }
  }
}

}  // namespace
}  // namespace postrider
