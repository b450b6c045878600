#include "postrider/matrix/rooms.hpp"

#include <set>

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredRooms : public StoreTest {
 protected:
  std::set<std::string> members(StreamKey in = stream) {
    std::set<std::string> found;
    EXPECT_TRUE(read_members(*connection, in, [&](std::string_view room, std::string_view user) {
      found.insert(fmt::format("{} {}", room, user));
    }));
    return found;
  }
  std::set<std::string> aliases() {
    std::set<std::string> found;
    EXPECT_TRUE(
        read_aliases(*connection, stream,
                     [&](std::string_view room, std::string_view source, std::string_view alias) {
                       found.insert(fmt::format("{} {} {}", room, source, alias));
                     }));
    return found;
  }
};

TEST_F(StoredRooms, joining_twice_is_joining_once_and_leaving_twice_is_leaving_once) {
  ASSERT_TRUE(put_member(*connection, stream, "!r", "@a"));
  ASSERT_TRUE(put_member(*connection, stream, "!r", "@a"));
  ASSERT_TRUE(put_member(*connection, stream, "!r", "@b"));
  EXPECT_EQ(members(), (std::set<std::string>{"!r @a", "!r @b"}));
  ASSERT_TRUE(remove_member(*connection, stream, "!r", "@a"));
  ASSERT_TRUE(remove_member(*connection, stream, "!r", "@a"));
  EXPECT_EQ(members(), (std::set<std::string>{"!r @b"}));
}

TEST_F(StoredRooms, streams_keep_rooms_of_their_own) {
  ASSERT_TRUE(put_member(*connection, stream, "!r", "@a"));
  ASSERT_TRUE(remove_member(*connection, StreamKey{2}, "!r", "@a"));
  EXPECT_EQ(members().size(), 1U);
  EXPECT_EQ(members(StreamKey{2}).size(), 0U);
}

TEST_F(StoredRooms, clearing_one_source_of_aliases_leaves_the_others) {
  ASSERT_TRUE(put_alias(*connection, stream, "!r", "m.room.canonical_alias", "#a:x"));
  ASSERT_TRUE(put_alias(*connection, stream, "!r", "m.room.canonical_alias", "#a:x"));
  ASSERT_TRUE(put_alias(*connection, stream, "!r", "m.room.aliases x", "#a:x"));
  ASSERT_TRUE(put_alias(*connection, stream, "!q", "m.room.canonical_alias", "#b:x"));
  ASSERT_TRUE(clear_aliases(*connection, stream, "!r", "m.room.canonical_alias"));
  EXPECT_EQ(aliases(),
            (std::set<std::string>{"!r m.room.aliases x #a:x", "!q m.room.canonical_alias #b:x"}));
}

}  // namespace
}  // namespace postrider
