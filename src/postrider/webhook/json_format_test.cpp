#include "postrider/webhook/json_format.hpp"

#include <optional>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace postrider {
namespace {

class JsonFormatTest : public testing::Test {
 protected:
  void read(const std::string& fact) {
    batch_.emplace("{}");
    batch_->add_payload(0, 2);
    std::vector<FieldError> mistakes;
    const JsonFormat format(pointers);
    format.read_attributes(parser_.parse(fact).get_object().value(),
                           batch_->add_attributes(format.schema().size()), mistakes);
    EXPECT_TRUE(mistakes.empty());
  }
  [[nodiscard]] std::optional<std::string> found(JsonAttribute attribute) const {
    const AttributeView fact = batch_->attributes(0);
    const auto index = static_cast<std::size_t>(attribute);
    if (!fact.has(index)) return std::nullopt;
    return std::string(fact.text(index));
  }

  std::map<std::string, std::string> pointers;

 private:
  simdjson::dom::parser parser_;
  std::optional<FactBatch> batch_;
};

TEST_F(JsonFormatTest, takes_attributes_from_the_members_of_their_names) {
  read(R"({"type":"order.placed","subject":"orders/7","key":"alice","id":"e1",)"
       R"("time":"2026-11-27"})");
  EXPECT_EQ(found(JsonAttribute::type), "order.placed");
  EXPECT_EQ(found(JsonAttribute::subject), "orders/7");
  EXPECT_EQ(found(JsonAttribute::key), "alice");
  EXPECT_EQ(found(JsonAttribute::id), "e1");
  EXPECT_EQ(found(JsonAttribute::time), "2026-11-27");
}

TEST_F(JsonFormatTest, refuses_no_object) {
  for (const char* fact :
       {"{}", R"({"type":null,"id":[1],"key":{"a":1},"time":1.5,"subject":true})",
        R"({"type":"a\u0000b"})"}) {
    read(fact);
    for (std::size_t i = 0; i < json_schema.size(); ++i) {
      EXPECT_FALSE(found(static_cast<JsonAttribute>(i))) << fact << " " << i;
    }
  }
}

TEST_F(JsonFormatTest, takes_a_whole_number_as_its_text) {
  read(R"({"key":42,"id":-7,"time":1764201600000})");
  EXPECT_EQ(found(JsonAttribute::key), "42");
  EXPECT_EQ(found(JsonAttribute::id), "-7");
  EXPECT_EQ(found(JsonAttribute::time), "1764201600000");
}

TEST_F(JsonFormatTest, takes_a_text_up_to_its_limit_and_no_longer_one) {
  read(R"({"type":")" + std::string(attribute_bytes_max, 'x') + R"("})");
  EXPECT_EQ(found(JsonAttribute::type), std::string(attribute_bytes_max, 'x'));
  read(R"({"type":")" + std::string(attribute_bytes_max + 1, 'x') + R"("})");
  EXPECT_FALSE(found(JsonAttribute::type));
}

TEST_F(JsonFormatTest, follows_the_pointers_of_the_stream) {
  pointers = {{"type", "/meta/event~1type"}, {"key", "/data/items/1/sku"}, {"id", "/a~0b"}};
  read(R"({"type":"no","meta":{"event/type":"yes"},"data":{"items":[{},{"sku":"s"}]},"a~b":"i"})");
  EXPECT_EQ(found(JsonAttribute::type), "yes");
  EXPECT_EQ(found(JsonAttribute::key), "s");
  EXPECT_EQ(found(JsonAttribute::id), "i");
}

TEST_F(JsonFormatTest, finds_nothing_where_a_pointer_leads_nowhere) {
  pointers = {{"type", "/a/b"}, {"key", "/list/x"}, {"id", "/list/01"}, {"subject", "/list/9"}};
  read(R"({"a":"text","list":["0","1"]})");
  for (const auto attribute : {JsonAttribute::type, JsonAttribute::key, JsonAttribute::id}) {
    EXPECT_FALSE(found(attribute));
  }
  EXPECT_FALSE(found(JsonAttribute::subject));
}

TEST_F(JsonFormatTest, takes_the_last_of_a_name_that_is_there_twice) {
  read(R"({"type":"a","type":"b"})");
  EXPECT_EQ(found(JsonAttribute::type), "b");
}

TEST(JsonPointer, is_checked) {
  EXPECT_EQ(json_pointer_fault("/type"), "");
  EXPECT_EQ(json_pointer_fault("/a~0b~1c/0"), "");
  EXPECT_EQ(json_pointer_fault("/"), "");  // the member with the empty name
  for (const char* wrong : {"", "type", "/a~2", "/a~"}) {
    EXPECT_NE(json_pointer_fault(wrong), "") << wrong;
  }
  EXPECT_EQ(json_pointer_fault("/" + std::string(json_pointer_bytes_max - 1, 'x')), "");
  EXPECT_NE(json_pointer_fault("/" + std::string(json_pointer_bytes_max, 'x')), "");
}

}  // namespace
}  // namespace postrider
