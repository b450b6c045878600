#include "postrider/app/config/loaded_document.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

constexpr const char* registration = R"(id: irc
url: null
sender_localpart: "123"
rate_limited: false
namespaces:
  users:
    - regex: '@irc_.*'
      exclusive: true
  a/b: [1, -2, 1.5, ~, 0x10]
)";

TEST(LoadedDocument, types_plain_scalars_and_keeps_quoted_texts) {
  const TemporaryFolder folder;
  const auto loaded = load_document(folder.write("r.yaml", registration));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->document, boost::json::parse(R"({
    "id": "irc", "url": null, "sender_localpart": "123", "rate_limited": false,
    "namespaces": {"users": [{"regex": "@irc_.*", "exclusive": true}],
                   "a/b": [1, -2, 1.5, null, "0x10"]}})"))
      << boost::json::serialize(loaded->document);
}

TEST(LoadedDocument, knows_the_line_of_each_pointer) {
  const TemporaryFolder folder;
  const auto loaded = load_document(folder.write("r.yaml", registration));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->line_of(""), 1);
  EXPECT_EQ(loaded->line_of("/url"), 2);
  EXPECT_EQ(loaded->line_of("/namespaces/users/0/regex"), 7);
  EXPECT_EQ(loaded->line_of("/namespaces/a~1b/1"), 9);
  EXPECT_EQ(loaded->line_of("/namespaces/users/0/missing"), 7);
  EXPECT_EQ(loaded->line_of("/missing"), 1);
}

TEST(LoadedDocument, shows_field_errors_at_their_lines) {
  const TemporaryFolder folder;
  const auto loaded = load_document(folder.write("r.yaml", registration));
  ASSERT_TRUE(loaded);
  Error error{Code::invalid_argument, "2 mistakes"};
  error.fields = {{"/namespaces/users/0/regex", "is wrong"}, {"/as_token", "is missing"}};
  const ConfigErrors errors = loaded->errors_of(error);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0], (ConfigError{loaded->file, 7, "namespaces.users[0].regex", "is wrong"}));
  EXPECT_EQ(errors[1], (ConfigError{loaded->file, 1, "as_token", "is missing"}));
}

TEST(LoadedDocument, reads_json_too) {
  const TemporaryFolder folder;
  const auto loaded = load_document(folder.write("r.json", "{\"id\": \"a\",\n \"n\": [true]}"));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->document, boost::json::parse(R"({"id": "a", "n": [true]})"));
  EXPECT_EQ(loaded->line_of("/n/0"), 2);
}

}  // namespace
}  // namespace postrider
