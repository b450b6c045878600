#include "postrider/stream/fact_parser.hpp"

#include <gtest/gtest.h>

#include "postrider/stream/testing/plain_format.hpp"

namespace postrider {
namespace {

const PlainFormat format;

Result<std::shared_ptr<const FactBatch>> parse(std::string body, BodyKind kind = BodyKind::json,
                                               const FactLimits& limits = {}) {
  return parse_facts(std::move(body), kind, format, limits);
}

std::vector<std::string> payloads(const FactBatch& batch) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < batch.size(); ++i) texts.emplace_back(batch.payload(i));
  return texts;
}

Error error_of(std::string body, BodyKind kind = BodyKind::json, const FactLimits& limits = {}) {
  auto parsed = parse(std::move(body), kind, limits);
  EXPECT_FALSE(parsed);
  return parsed ? Error{} : std::move(parsed).error();
}

std::string place_of(const Error& error) {
  return error.fields.empty() ? "none" : error.fields.front().pointer;
}

/// A fact of exactly that many levels, whose innermost one holds `inside`.
std::string fact_of_depth(std::size_t levels, const std::string& inside) {
  std::string text = R"({"type":"t","deep":)";
  for (std::size_t i = 1; i < levels; ++i) text += '[';
  text += inside;
  for (std::size_t i = 1; i < levels; ++i) text += ']';
  return text + "}";
}

using Texts = std::vector<std::string>;

TEST(FactParser, keeps_payloads_byte_for_byte_without_the_space_around_them) {
  const auto batch =
      parse(" [ {\"type\" :\t\"a\",  \"x\": 1.50e1} ,\n{\"type\":\"b\\u00e9\"}\r\n]\n");
  ASSERT_TRUE(batch);
  EXPECT_EQ(payloads(**batch),
            (Texts{"{\"type\" :\t\"a\",  \"x\": 1.50e1}", "{\"type\":\"b\\u00e9\"}"}));
  EXPECT_EQ((*batch)->attributes(1).text(PlainFormat::type), "bé");
  EXPECT_TRUE((*batch)->has_attributes());
}

TEST(FactParser, takes_a_fact_alone) {
  const auto batch = parse("\n{\"type\":\"a\"} \n");
  ASSERT_TRUE(batch);
  EXPECT_EQ(payloads(**batch), Texts{R"({"type":"a"})"});
}

TEST(FactParser, takes_a_line_for_a_fact_and_skips_blank_ones) {
  const auto batch =
      parse("\n{\"type\":\"a\"}\r\n  \n {\"type\":\"b\"}\n{\"type\":\"c\"}", BodyKind::ndjson);
  ASSERT_TRUE(batch);
  EXPECT_EQ(payloads(**batch), (Texts{R"({"type":"a"})", R"({"type":"b"})", R"({"type":"c"})"}));
}

TEST(FactParser, keeps_keys_apart_over_many_facts_of_all_sizes) {
  std::string body = "[";
  for (int i = 0; i < 500; ++i) {
    body += fmt::format(R"({}{{"type":"t{}","text":"{}"}})", i == 0 ? "" : ",", i,
                        std::string(static_cast<std::size_t>(i * 37 % 9000), 'x'));
  }
  const auto batch = parse(body + "]");
  ASSERT_TRUE(batch);
  ASSERT_EQ((*batch)->size(), 500U);
  for (std::size_t i = 0; i < 500; ++i) {
    EXPECT_EQ((*batch)->attributes(i).text(PlainFormat::type), fmt::format("t{}", i));
    EXPECT_TRUE((*batch)->payload(i).starts_with(fmt::format(R"({{"type":"t{}")", i)));
    EXPECT_TRUE((*batch)->payload(i).ends_with("\"}"));
  }
}

TEST(FactParser, refuses_a_body_without_facts) {
  for (const BodyKind kind : {BodyKind::json, BodyKind::ndjson}) {
    EXPECT_EQ(error_of("", kind).code, Code::invalid_argument);
    EXPECT_EQ(error_of(" \n\t", kind).code, Code::invalid_argument);
  }
  EXPECT_EQ(error_of(" [ ] ").code, Code::invalid_argument);
}

TEST(FactParser, refuses_what_is_not_json) {
  for (const std::string body : {"[",
                                 "]",
                                 "[{\"type\":\"a\"}",
                                 "[{\"type\":\"a\"},]",
                                 "[,]",
                                 "[{\"type\":\"a\"}]x",
                                 "[{\"type\":\"a\"}][]",
                                 "[{\"type\":\"a\"}{\"type\":\"b\"}]",
                                 "{\"type\":\"a\"}{}",
                                 "{\"type\":\"a\"",
                                 "{\"type\":\"a\",}",
                                 "{\"type\" \"a\"}",
                                 "{\"type\":\"a\",\"b\":tru}",
                                 "{\"type\":\"a\",\"b\":01}",
                                 "{\"type\":\"a\",\"b\":+1}",
                                 "{\"type\":\"a\",\"b\":NaN}",
                                 "{\"type\":\"a\nb\"}",
                                 "{\"type\":\"a\\x\"}",
                                 "{\"type\":\"a",
                                 "{'type':'a'}",
                                 "{\"type\":\"a\"} // a",
                                 "[{\"type\":\"a\",\"b\":[1}]",
                                 "\xef\xbb\xbf{\"type\":\"a\"}",
                                 "nul",
                                 "3",
                                 "\"a\"",
                                 "{\"type\":\"a\",\"b\":\"\\ud800\"}",
                                 "{\"type\":\"a\",\"b\":\"\\udc00\"}",
                                 "{\"type\":\"a\",\"b\":1e999}",
                                 "[{\"type\":\"a\"]}"}) {
    EXPECT_EQ(error_of(body).code, Code::malformed_json) << body;
  }
  EXPECT_EQ(error_of("{\"type\":\"a\"} {\"type\":\"b\"}", BodyKind::ndjson).code,
            Code::malformed_json);
  EXPECT_EQ(error_of("{\"type\":\n\"a\"}", BodyKind::ndjson).code, Code::malformed_json);
}

TEST(FactParser, refuses_invalid_utf8_wherever_it_stands) {
  for (const std::string bytes : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc3"}) {
    for (const BodyKind kind : {BodyKind::json, BodyKind::ndjson}) {
      EXPECT_EQ(error_of("{\"type\":\"a\",\"b\":\"" + bytes + "\"}", kind).code,
                Code::malformed_json);
      EXPECT_EQ(error_of("{\"type\":\"a\",\"" + bytes + "\":1}", kind).code, Code::malformed_json);
    }
    EXPECT_EQ(error_of("[{\"type\":\"a\",\"b\":\"" + bytes + "\"}]").code, Code::malformed_json);
  }
}

TEST(FactParser, says_where_an_array_stops_being_one) {
  EXPECT_EQ(place_of(error_of(R"([{"type":"a"},{"type":"b"},,{"type":"c"}])")), "/2");
}

TEST(FactParser, refuses_a_fact_that_is_no_object_and_says_which) {
  for (const std::string fact : {"1", "\"a\"", "null", "true", "[]", "[{\"type\":\"a\"}]"}) {
    const Error error = error_of("[{\"type\":\"a\"}," + fact + ",{\"type\":\"b\"}]");
    EXPECT_EQ(error.code, Code::invalid_argument) << fact;
    EXPECT_EQ(place_of(error), "/1") << fact;
    EXPECT_EQ(error.fields.size(), 1U) << fact;
  }
}

TEST(FactParser, reports_several_wrong_facts_at_once) {
  const Error error = error_of(R"([{"type":1},{"type":"a"},{"sender":"x"},{"type":"a","b":nope},)"
                               R"({"type":"a","room_id":{}}])");
  EXPECT_EQ(error.code, Code::invalid_argument);
  Texts places;
  for (const FieldError& field : error.fields) places.push_back(field.pointer);
  EXPECT_EQ(places, (Texts{"/0/type", "/2/type", "/3", "/4/room_id"}));
  EXPECT_EQ(error.detail, "/0/type must be a string; 4 mistakes in all, and nothing was appended");
}

TEST(FactParser, stops_reporting_at_the_limit) {
  std::string body = "[0";
  for (int i = 0; i < 100; ++i) body += ",0";
  EXPECT_EQ(error_of(body + "]").fields.size(), fact_mistakes_max);
}

TEST(FactParser, names_the_line_of_a_wrong_fact) {
  const Error error = error_of("{\"type\":\"a\"}\n\n{\"type\":2}\n", BodyKind::ndjson);
  EXPECT_EQ(place_of(error), "/1/type");
  EXPECT_EQ(error.detail, "/1/type must be a string (line 3)");
}

TEST(FactParser, points_into_a_fact_that_is_alone) {
  EXPECT_EQ(place_of(error_of(R"({"type":"a","sender":3})")), "/sender");
}

TEST(FactParser, takes_exactly_as_many_levels_as_are_allowed) {
  for (const std::size_t levels : {2U, 8U, 100U}) {
    FactLimits limits;
    limits.json_depth_max = levels;
    for (const std::string inside : {"1", "[]", "{}", "[1]"}) {
      // With anything but a number inside there is one level more.
      const std::size_t outer = inside == "1" ? levels : levels - 1;
      EXPECT_TRUE(parse(fact_of_depth(outer, inside), BodyKind::json, limits)) << inside;
      EXPECT_TRUE(parse("[" + fact_of_depth(outer, inside) + "]", BodyKind::json, limits));
      const Error error = error_of(fact_of_depth(outer + 1, inside), BodyKind::json, limits);
      EXPECT_EQ(error.code, Code::limit_exceeded) << levels << inside;
    }
  }
}

TEST(FactParser, takes_no_deeper_fact_after_one_that_is_as_deep_as_allowed) {
  const Error error =
      error_of("[" + fact_of_depth(100, "1") + "," + fact_of_depth(100, "[]") + "]");
  EXPECT_EQ(place_of(error), "/1");
  EXPECT_TRUE(parse(fact_of_depth(100, "1")));
}

TEST(FactParser, does_not_count_brackets_in_strings_as_levels) {
  FactLimits limits;
  limits.json_depth_max = 3;
  EXPECT_TRUE(parse(R"({"type":"a","b":[["\"[[[[{{{{\\"]]})", BodyKind::json, limits));
}

TEST(FactParser, counts_malformed_and_deep_text_as_too_deep_or_malformed) {
  EXPECT_EQ(error_of("{\"type\":" + std::string(200'000, '[') + "}").code, Code::limit_exceeded);
  FactLimits limits;
  limits.json_depth_max = 2;
  EXPECT_EQ(error_of(R"({"type":"a","b":[1,)", BodyKind::json, limits).code, Code::malformed_json);
}

TEST(FactParser, refuses_a_fact_over_the_size_limit_by_one_byte) {
  FactLimits limits;
  limits.fact_bytes_max = 64;
  const std::string frame = R"({"type":"a","b":""})";
  const auto fact = [&frame](std::size_t bytes) {
    return R"({"type":"a","b":")" + std::string(bytes - frame.size(), 'x') + "\"}";
  };
  EXPECT_TRUE(parse("  " + fact(64) + "  ", BodyKind::json, limits));
  EXPECT_TRUE(parse("[" + fact(64) + "," + fact(64) + "]", BodyKind::json, limits));
  const Error error = error_of("[" + fact(64) + "," + fact(65) + "]", BodyKind::json, limits);
  EXPECT_EQ(error.code, Code::payload_too_large);
  EXPECT_EQ(place_of(error), "/1");
  EXPECT_EQ(error_of(fact(65), BodyKind::ndjson, limits).code, Code::payload_too_large);
}

TEST(FactParser, refuses_a_batch_with_one_fact_too_many) {
  FactLimits limits;
  limits.batch_facts_max = 2;
  const std::string fact = R"({"type":"a"})";
  EXPECT_TRUE(parse("[" + fact + "," + fact + "]", BodyKind::json, limits));
  EXPECT_EQ(error_of("[" + fact + "," + fact + "," + fact + "]", BodyKind::json, limits).code,
            Code::limit_exceeded);
  EXPECT_TRUE(parse(fact + "\n" + fact + "\n\n", BodyKind::ndjson, limits));
  EXPECT_EQ(error_of(fact + "\n" + fact + "\n" + fact, BodyKind::ndjson, limits).code,
            Code::limit_exceeded);
}

TEST(FactParser, reads_the_keys_of_stored_facts_again) {
  const auto parsed = parse(R"([{"type":"a","sender":"@x:y"},{"type":"b","state_key":""}])");
  ASSERT_TRUE(parsed);
  const auto stored = std::make_shared<FactBatch>(std::string((*parsed)->buffer()));
  const std::size_t first = (*parsed)->payload(0).size();
  stored->add_payload(1, first);
  stored->add_payload(first + 2, (*parsed)->payload(1).size());

  const Chunk head{StreamId{7}, 0, 1, {}, stored};
  const Chunk tail{StreamId{9}, 1, 1, {}, stored};
  const auto chunks = with_attributes({head, tail}, format).chunks;
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[0].attributes(StreamId{7}).text(PlainFormat::sender), "@x:y");
  EXPECT_EQ(chunks[1].attributes(StreamId{9}).text(PlainFormat::type), "b");
  EXPECT_EQ(chunks[1].payload(StreamId{9}), (*parsed)->payload(1));
  EXPECT_EQ(chunks[0].batch, chunks[1].batch);
  EXPECT_FALSE(stored->has_attributes());
}

TEST(FactParser, reads_the_keys_of_a_fact_as_deep_as_any_configuration_allows) {
  FactLimits limits;
  limits.json_depth_max = 1000;
  const auto parsed = parse(fact_of_depth(1000, "1"), BodyKind::json, limits);
  ASSERT_TRUE(parsed);
  auto stored = std::make_shared<FactBatch>(std::string((*parsed)->buffer()));
  stored->add_payload(0, stored->buffer().size());
  EXPECT_EQ(with_attributes({{StreamId{1}, 0, 1, {}, stored}}, format)
                .chunks[0]
                .attributes(StreamId{1})
                .text(PlainFormat::type),
            "t");
}

TEST(FactParser, names_what_is_no_fact_any_more_and_ends_before_it) {
  const std::string buffer = R"({"type":"a"}[1]{"type":7}{"type":"b"})";
  auto stored = std::make_shared<FactBatch>(std::string(buffer));
  stored->add_payload(0, 12);
  stored->add_payload(12, 3);
  stored->add_payload(15, 10);
  stored->add_payload(25, 12);

  const AttributedFacts facts = with_attributes({{StreamId{5}, 0, 4, {}, stored}}, format);
  ASSERT_EQ(facts.chunks.size(), 1U);
  EXPECT_EQ(facts.chunks[0].first, StreamId{5});
  EXPECT_EQ(facts.chunks[0].last(), StreamId{5});
  ASSERT_TRUE(facts.unreadable);
  EXPECT_EQ(facts.unreadable->ids, (IdRange{StreamId{6}, StreamId{7}}));
  EXPECT_EQ(facts.unreadable->cause, "it is not a JSON object");

  const AttributedFacts after = with_attributes({{StreamId{8}, 3, 1, {}, stored}}, format);
  EXPECT_FALSE(after.unreadable);
  ASSERT_EQ(after.chunks.size(), 1U);
  EXPECT_EQ(after.chunks[0].attributes(StreamId{8}).text(PlainFormat::type), "b");
}

}  // namespace
}  // namespace postrider
