#include "postrider/matrix/matrix_format.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "postrider/matrix/matrix_attributes.hpp"

namespace postrider {
namespace {

using Aliases = std::vector<std::string_view>;

class MatrixFormatTest : public testing::Test {
 protected:
  /// Places of what is wrong, joined by blanks.
  std::string read(const std::string& fact) {
    mistakes_.clear();
    const MatrixFormat format;
    batch_.emplace("{}");
    batch_->add_payload(0, 2);
    format.read_attributes(parser_.parse(fact).get_object().value(),
                           batch_->add_attributes(format.schema().size()), mistakes_);
    event_ = matrix_attributes(batch_->attributes(0));
    std::string places;
    for (const FieldError& mistake : mistakes_) {
      places += (places.empty() ? "" : " ") + mistake.pointer;
    }
    return places;
  }

  simdjson::dom::parser parser_;
  std::optional<FactBatch> batch_;
  MatrixAttributes event_;
  std::vector<FieldError> mistakes_;
};

TEST_F(MatrixFormatTest, takes_every_attribute) {
  ASSERT_EQ(read(R"({"content":{"membership":"join"},"event_id":"$e","origin_server_ts":-5,
                     "room_id":"!r:h","sender":"@s:h","state_key":"","type":"m.x","other":[1]})"),
            "");
  EXPECT_EQ(event_.type, "m.x");
  EXPECT_EQ(event_.room_id, "!r:h");
  EXPECT_EQ(event_.sender, "@s:h");
  EXPECT_EQ(event_.event_id, "$e");
  EXPECT_EQ(event_.state_key, "");
  EXPECT_EQ(event_.origin_server_ts, -5);
  EXPECT_EQ(event_.membership, "");
  EXPECT_FALSE(event_.names_aliases);
}

TEST_F(MatrixFormatTest, leaves_nothing_of_the_fact_before) {
  read(R"({"type":"m.room.aliases","state_key":"h","sender":"@s:h","content":{"aliases":["#a"]}})");
  ASSERT_EQ(read(R"({"type":"m.x"})"), "");
  EXPECT_EQ(event_.sender, "");
  EXPECT_FALSE(event_.state_key.has_value());
  EXPECT_FALSE(event_.names_aliases);
  EXPECT_TRUE(event_.aliases.empty());
}

TEST_F(MatrixFormatTest, requires_a_type_and_the_right_kind_of_each_key) {
  EXPECT_EQ(read("{}"), "/type");
  EXPECT_EQ(read(R"({"content":1,"event_id":null,"origin_server_ts":1.5,"room_id":[],
                     "sender":{},"state_key":false,"type":0})"),
            "/event_id /origin_server_ts /room_id /sender /state_key /type");
  EXPECT_EQ(read(R"({"type":"a","origin_server_ts":18446744073709551615})"), "/origin_server_ts");
  EXPECT_EQ(read(R"({"type":"a","origin_server_ts":"1"})"), "/origin_server_ts");
}

TEST_F(MatrixFormatTest, refuses_a_key_that_stands_there_twice_however_it_is_written) {
  EXPECT_EQ(read(R"({"type":"a","type":"a"})"), "/type");
  EXPECT_EQ(read(R"({"type":"a","room_id":"x","r\u006fom_id":"y","room_id":"z"})"), "/room_id");
  EXPECT_EQ(read(R"({"type":"a","content":{},"content":{}})"), "/content");
  EXPECT_EQ(read(R"({"type":"a","unsigned":1,"unsigned":2})"), "");
}

TEST_F(MatrixFormatTest, refuses_a_key_that_is_one_byte_too_long) {
  const std::string longest(attribute_bytes_max, 'x');
  EXPECT_EQ(read(R"({"type":"a","sender":")" + longest + "\"}"), "");
  EXPECT_EQ(read(R"({"type":"a","sender":")" + longest + "x\"}"), "/sender");
}

TEST_F(MatrixFormatTest, refuses_a_key_with_a_null_character) {
  EXPECT_EQ(read(R"({"type":"a","sender":"a\u0000b"})"), "/sender");
  EXPECT_EQ(read(R"({"type":"a","room_id":"\ud83d\ude00"})"), "");
}

TEST_F(MatrixFormatTest, reads_membership_of_member_facts_only_and_leniently) {
  read(R"({"type":"m.room.member","state_key":"@u:h","content":{"membership":"join"}})");
  EXPECT_EQ(event_.membership, "join");
  read(R"({"content":{"membership":"leave","membership":"join"},"type":"m.room.member"})");
  EXPECT_EQ(event_.membership, "join");
  for (const std::string content : {R"({"membership":5})", R"({"membership":null})", R"({})",
                                    R"("join")", R"([])", R"({"membership":"jo\u0000in"})"}) {
    EXPECT_EQ(read(R"({"type":"m.room.member","content":)" + content + "}"), "");
    EXPECT_EQ(event_.membership, "") << content;
  }
  EXPECT_EQ(read(R"({"type":"m.room.member"})"), "");
}

TEST_F(MatrixFormatTest, reads_the_aliases_of_a_room) {
  read(R"({"type":"m.room.canonical_alias","state_key":"",
           "content":{"alias":"#a:h","alt_aliases":["#b:h",7,"","#c:h"]}})");
  EXPECT_TRUE(event_.names_aliases);
  EXPECT_EQ(event_.aliases, (Aliases{"#a:h", "#b:h", "#c:h"}));
  read(R"({"type":"m.room.aliases","state_key":"h","content":{"aliases":["#d:h"]}})");
  EXPECT_TRUE(event_.names_aliases);
  EXPECT_EQ(event_.aliases, Aliases{"#d:h"});
}

TEST_F(MatrixFormatTest, takes_malformed_aliases_for_none) {
  for (const std::string content : {R"({})", R"(3)", R"({"alias":null,"alt_aliases":"#a:h"})"}) {
    EXPECT_EQ(read(R"({"type":"m.room.canonical_alias","state_key":"","content":)" + content + "}"),
              "");
    EXPECT_TRUE(event_.names_aliases) << content;
    EXPECT_TRUE(event_.aliases.empty()) << content;
  }
}

TEST_F(MatrixFormatTest, takes_aliases_from_state_only) {
  read(R"({"type":"m.room.canonical_alias","content":{"alias":"#a:h"}})");
  EXPECT_FALSE(event_.names_aliases);
  read(R"({"type":"m.room.canonical_alias","state_key":"x","content":{"alias":"#a:h"}})");
  EXPECT_FALSE(event_.names_aliases);
  read(R"({"type":"m.room.aliases","content":{"aliases":["#a:h"]}})");
  EXPECT_FALSE(event_.names_aliases);
}

TEST_F(MatrixFormatTest, takes_what_is_longer_than_an_alias_may_be_for_none) {
  const std::string longest = "#" + std::string(alias_bytes_max - 1, 'a');
  read(R"({"type":"m.room.aliases","state_key":"h","content":{"aliases":[")" + longest + R"(",")" +
       longest + R"(a","#b:h"]}})");
  EXPECT_EQ(event_.aliases, (Aliases{longest, "#b:h"}));
}

TEST_F(MatrixFormatTest, keeps_a_bounded_number_of_aliases) {
  std::string list = "\"#a\"";
  for (std::size_t i = 0; i < event_aliases_max; ++i) list += ",\"#a\"";
  read(R"({"type":"m.room.aliases","state_key":"h","content":{"aliases":[)" + list + "]}}");
  EXPECT_EQ(event_.aliases.size(), event_aliases_max);
}

}  // namespace
}  // namespace postrider
