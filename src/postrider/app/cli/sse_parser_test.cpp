#include "postrider/app/cli/sse_parser.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

using Messages = std::vector<SseMessage>;

Messages parse(std::string_view text, std::size_t part_bytes = 1000) {
  SseParser parser;
  Messages messages;
  while (!text.empty()) {
    for (SseMessage& message : parser.feed(text.substr(0, part_bytes))) {
      messages.push_back(std::move(message));
    }
    text.remove_prefix(std::min(part_bytes, text.size()));
  }
  return messages;
}

TEST(SseParser, reads_name_data_and_id) {
  EXPECT_EQ(parse("event: fact\nid: t1\ndata: {\"a\":1}\n\n"),
            (Messages{{"fact", "{\"a\":1}", "t1"}}));
}

TEST(SseParser, joins_data_lines_and_drops_one_space) {
  EXPECT_EQ(parse("data:a\ndata:  b\ndata\n\n"), (Messages{{"", "a\n b\n", ""}}));
}

TEST(SseParser, keeps_the_id_and_forgets_the_name) {
  EXPECT_EQ(parse("id: 1\nevent: x\ndata: a\n\ndata: b\n\n"),
            (Messages{{"x", "a", "1"}, {"", "b", "1"}}));
}

TEST(SseParser, skips_comments_unknown_fields_and_messages_without_data) {
  EXPECT_EQ(parse(": alive\n\nretry: 5\n\nid: 7\n\ndata: a\n\n"), (Messages{{"", "a", "7"}}));
}

TEST(SseParser, gives_nothing_for_a_message_that_has_not_ended) {
  EXPECT_EQ(parse("data: a\n"), Messages{});
}

TEST(SseParser, takes_every_line_end_however_the_input_is_cut) {
  const Messages expected = {{"", "a", "1"}, {"", "b", "1"}};
  for (const char* text : {"id:1\ndata:a\n\ndata:b\n\n", "id:1\rdata:a\r\rdata:b\r\r",
                           "id:1\r\ndata:a\r\n\r\ndata:b\r\n\r\n"}) {
    for (std::size_t part = 1; part < 30; ++part) EXPECT_EQ(parse(text, part), expected) << part;
  }
}

}  // namespace
}  // namespace postrider
