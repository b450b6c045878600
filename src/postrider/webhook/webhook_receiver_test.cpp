#include "postrider/webhook/webhook_receiver.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "postrider/delivery/document_reader.hpp"
#include "postrider/sort/type_interest.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

json::object document() {
  return {
      {"id", "orders"}, {"kind", "webhook"}, {"url", "http://x.test/in?a=1"}, {"secret", secret}};
}

std::shared_ptr<const Receiver> receiver(const json::object& of = document()) {
  return WebhookKind().parse(of).value();
}

/// The places of what is wrong when the member is this, joined by blanks.
std::string mistakes(std::string_view member, const json::value& value) {
  json::object changed = document();
  changed[member] = value;
  const auto parsed = WebhookKind().parse(changed);
  std::string places;
  if (parsed) return places;
  EXPECT_EQ(parsed.error().code, Code::invalid_argument);
  for (const FieldError& field : parsed.error().fields) {
    places += (places.empty() ? "" : " ") + field.pointer;
  }
  return places;
}

std::string header(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "none";
}

TEST(WebhookReceiver, has_its_key_and_the_values_of_its_headers_for_secrets) {
  json::object of = document();
  of["headers"] = {{"Authorization", "Basic dTpw"}};
  EXPECT_EQ(receiver(of)->secrets(), (std::vector<std::string>{secret, "Basic dTpw", "dTpw"}));
}

TEST(WebhookReceiver, posts_facts_as_they_came_between_their_positions) {
  const std::vector<std::string_view> facts = {R"({"a": 1.0})", "{}"};
  const HttpRequest request = receiver()->compose({.id = "0a-7",
                                                   .stream = "orders",
                                                   .first = StreamId{3},
                                                   .last = StreamId{9},
                                                   .payloads = facts,
                                                   .attempted_at = wall_time(5'999)});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://x.test/in?a=1");
  EXPECT_EQ(request.body->text(),
            R"({"id":"0a-7","stream":"orders","first":3,"last":9,"facts":[{"a": 1.0},{}]})");
  EXPECT_EQ(header(request, "Content-Type"), "application/json");
  EXPECT_EQ(header(request, "webhook-id"), "0a-7");
  EXPECT_EQ(header(request, "webhook-timestamp"), "5");
  EXPECT_TRUE(WebhookSecret::parse(secret)->verify("0a-7", "5", request.body->text(),
                                                   header(request, "webhook-signature")));
}

TEST(WebhookReceiver, signs_a_large_transaction_without_copying_its_facts) {
  const auto fact = std::make_shared<const std::string>("\"" + std::string(100'000, 'x') + "\"");
  const std::vector<std::string_view> facts = {*fact, *fact};
  const HttpRequest request =
      receiver()->compose({.id = "1", .stream = "s", .payloads = facts, .payload_owner = fact});
  EXPECT_EQ(request.body->pieces()[1].data(), fact->data());
  const std::string text = request.body->text();
  EXPECT_TRUE(text.ends_with(*fact + "," + *fact + "]}"));
  EXPECT_TRUE(
      WebhookSecret::parse(secret)->verify("1", "0", text, header(request, "webhook-signature")));
}

TEST(WebhookReceiver, signs_each_attempt_with_its_time_over_the_same_body) {
  const std::vector<std::string_view> facts = {"{}"};
  OutgoingTransaction transaction{.id = "1", .stream = "s", .payloads = facts};
  const HttpRequest first = receiver()->compose(transaction);
  transaction.attempted_at = wall_time(60'000);
  const HttpRequest second = receiver()->compose(transaction);
  EXPECT_EQ(first.body->text(), second.body->text());
  EXPECT_NE(header(first, "webhook-signature"), header(second, "webhook-signature"));
}

TEST(WebhookReceiver,
     says_how_many_acknowledgements_may_be_behind_or_leaves_it_to_the_configuration) {
  DeliveryPolicy defaults;
  defaults.acknowledge_behind = 3;
  EXPECT_EQ(receiver()->policy(defaults), defaults);
  EXPECT_FALSE(receiver()->document(Secrets::show).contains("acknowledge_behind"));
  for (const std::int64_t behind : {0, 100}) {
    json::object changed = document();
    changed["acknowledge_behind"] = behind;
    EXPECT_EQ(receiver(changed)->policy(defaults).acknowledge_behind, std::size_t(behind));
    EXPECT_EQ(receiver(changed)->document(Secrets::hide).at("acknowledge_behind"), behind);
  }
  for (const json::value& wrong : {json::value(-1), json::value(101), json::value(1.5),
                                   json::value("1"), json::value(nullptr)}) {
    EXPECT_EQ(mistakes("acknowledge_behind", wrong), "/acknowledge_behind");
  }
}

TEST(WebhookReceiver, is_pinged_by_a_signed_transaction_without_facts) {
  const HttpRequest request = receiver()->compose_ping("p", wall_time(1'000));
  EXPECT_EQ(request.body->text(),
            R"({"id":"p","stream":null,"first":null,"last":null,"facts":[]})");
  EXPECT_TRUE(WebhookSecret::parse(secret)->verify("p", "1", request.body->text(),
                                                   header(request, "webhook-signature")));
}

TEST(WebhookReceiver, sends_the_headers_of_its_document) {
  json::object with = document();
  with["headers"] = json::object{{"Authorization", "Bearer x"}, {"X-Team", "shop"}};
  const HttpRequest request = receiver(with)->compose_ping("p", {});
  EXPECT_EQ(header(request, "Authorization"), "Bearer x");
  EXPECT_EQ(header(request, "X-Team"), "shop");
}

HttpResponse answer(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

TEST(WebhookReceiver, judges_answers) {
  for (int status = 200; status < 600; ++status) {
    const Verdict expected = status < 300    ? Verdict::delivered
                             : status == 410 ? Verdict::stop
                             : status == 413 ? Verdict::split
                                             : Verdict::retry;
    EXPECT_EQ(receiver()->judge(answer(status)), expected) << status;
  }
}

TEST(WebhookReceiver, hides_its_secrets_and_is_the_same_again_with_them) {
  json::object full = document();
  full["types"] = json::array{"order.*"};
  full["streams"] = json::array{"orders"};
  full["headers"] = json::object{{"Authorization", "Bearer x"}};
  const auto made = receiver(full);
  EXPECT_EQ(made->document(Secrets::show), full);
  const std::string hidden = json::serialize(made->document(Secrets::hide));
  EXPECT_EQ(hidden.find("whsec_"), std::string::npos);
  EXPECT_EQ(hidden.find("Bearer"), std::string::npos);
  EXPECT_EQ(receiver(made->document(Secrets::show))->document(Secrets::show), full);
}

TEST(WebhookReceiver, asks_for_all_types_of_all_streams_unless_told) {
  EXPECT_TRUE(receiver()->interest()->equals(TypeInterest({"*"}, {"*"})));
  json::object some = document();
  some["types"] = json::array{"order.*"};
  some["streams"] = json::array{"shop"};
  EXPECT_TRUE(receiver(some)->interest()->equals(TypeInterest({"order.*"}, {"shop"})));
}

TEST(WebhookKind, names_every_mistake_at_its_place) {
  const auto parsed = WebhookKind().parse({{"id", 1}, {"url", "ftp://x"}, {"typs", "a"}});
  ASSERT_FALSE(parsed);
  std::string places;
  for (const FieldError& field : parsed.error().fields) places += field.pointer + " ";
  EXPECT_EQ(places, "/typs /id /url /secret ");
  EXPECT_EQ(mistakes("url", nullptr), "");
  EXPECT_EQ(mistakes("url", "http://u@x.test"), "/url");
  EXPECT_EQ(mistakes("types", json::array()), "/types");
  EXPECT_EQ(mistakes("types", "order.*"), "/types");
  EXPECT_EQ(mistakes("types", json::array{"a", 1, ""}), "/types/1 /types/2");
  EXPECT_EQ(mistakes("streams", json::array{std::string(2000, 'x')}), "/streams/0");
  EXPECT_EQ(mistakes("secret", "password"), "/secret");
  EXPECT_EQ(mistakes("headers", json::object{{"webhook-id", "x"}, {"Host", "y"}, {"a b", "z"}}),
            "/headers/webhook-id /headers/Host /headers/a b");
  EXPECT_EQ(mistakes("headers", json::object{{"X", "a\r\nb"}, {"Y", 1}}), "/headers/X /headers/Y");
}

TEST(WebhookKind, keeps_its_limits) {
  EXPECT_EQ(mistakes("types", json::array(WebhookKind::globs_max, json::value("a"))), "");
  EXPECT_EQ(mistakes("types", json::array(WebhookKind::globs_max + 1, json::value("a"))), "/types");
  json::object headers;
  for (std::size_t i = 0; i < WebhookKind::headers_max; ++i) headers[fmt::format("X{}", i)] = "v";
  EXPECT_EQ(mistakes("headers", headers), "");
  headers["more"] = "v";
  EXPECT_EQ(mistakes("headers", headers), "/headers");
  EXPECT_EQ(
      mistakes("headers", json::object{{"X", std::string(WebhookKind::header_bytes_max, 'x')}}),
      "");
  EXPECT_EQ(
      mistakes("headers", json::object{{"X", std::string(WebhookKind::header_bytes_max + 1, 'x')}}),
      "/headers/X");
}

TEST(WebhookKind, refuses_what_would_be_slow_to_match) {
  const auto globs = [](std::size_t count, std::size_t bytes) {
    json::array array;
    for (std::size_t i = 0; i < count; ++i) array.emplace_back(std::string(bytes, 'x'));
    return array;
  };
  EXPECT_EQ(mistakes("types", globs(64, 1024)), "");
  EXPECT_EQ(mistakes("types", globs(65, 1024)), "/types");
  EXPECT_EQ(mistakes("streams", json::array{"*a*b*c*d*e*f*g*h"}), "");
  EXPECT_EQ(mistakes("streams", json::array{"*a*b*c*d*e*f*g*h*"}), "/streams/0");
}

TEST(WebhookKind, names_a_hundred_mistakes_and_counts_the_others) {
  const auto refused_with = [](std::size_t unknown) {
    json::object many = document();
    for (std::size_t i = 0; i < unknown; ++i) many[fmt::format("x{}", i)] = 1;
    return WebhookKind().parse(many).error();
  };
  EXPECT_EQ(refused_with(document_mistakes_max).fields.size(), document_mistakes_max);
  EXPECT_EQ(refused_with(document_mistakes_max).detail.find("are named"), std::string::npos);
  const Error more = refused_with(document_mistakes_max + 1);
  EXPECT_EQ(more.fields.size(), document_mistakes_max);
  EXPECT_TRUE(more.detail.ends_with("; 100 of its 101 mistakes are named")) << more.detail;
}

TEST(WebhookKind, refuses_a_value_that_is_shown_in_place_of_a_hidden_one) {
  EXPECT_EQ(mistakes("headers", json::object{{"X", std::string(hidden_value)}}), "/headers/X");
}

TEST(WebhookKind, draws_a_secret_only_where_there_is_none) {
  json::object none = {{"id", "a"}};
  const auto drawn = WebhookKind().draw_secrets(none, [] { return std::string(24, '\0'); });
  EXPECT_EQ(drawn.at("secret").as_string(), "whsec_" + std::string(32, 'A'));
  EXPECT_EQ(none.at("secret"), drawn.at("secret"));
  json::object some = document();
  EXPECT_TRUE(WebhookKind().draw_secrets(some, [] { return std::string(24, 'x'); }).empty());
}

}  // namespace
}  // namespace postrider
