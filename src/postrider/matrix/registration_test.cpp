#include "postrider/matrix/registration.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <gtest/gtest.h>

namespace postrider {
namespace {

namespace json = boost::json;
using Places = std::vector<std::string>;

json::object valid() {
  return json::parse(R"({
    "id": "irc", "url": "https://bridge.example:9000/app", "as_token": "as_secret",
    "hs_token": "hs_secret", "sender_localpart": "_irc.bot", "rate_limited": false,
    "protocols": ["irc", "irc6"], "receive_ephemeral": true, "unknown": {"a": 1},
    "namespaces": {"users": [{"exclusive": true, "regex": "@irc_.*", "more": 1}],
                   "aliases": [{"exclusive": false, "regex": "#irc_.*"}], "rooms": []}})")
      .as_object();
}

template <class Value>
json::object with(std::string_view key, const Value& value) {
  json::object document = valid();
  document[key] = json::value_from(value);
  return document;
}

json::object without(std::string_view key) {
  json::object document = valid();
  document.erase(key);
  return document;
}

Places places_of(const json::value& document, const RegistrationLimits& limits = {}) {
  const auto parsed = parse_registration(document, limits);
  Places places;
  if (parsed) return places;
  EXPECT_EQ(parsed.error().code, Code::invalid_argument);
  for (const FieldError& mistake : parsed.error().fields) places.push_back(mistake.pointer);
  EXPECT_FALSE(places.empty());
  return places;
}

Registration parsed(const json::value& document) {
  auto registration = parse_registration(document, {});
  EXPECT_TRUE(registration) << (registration ? "" : registration.error().detail);
  return registration ? *std::move(registration) : Registration{};
}

TEST(Registration, takes_every_field_and_ignores_unknown_ones) {
  const Registration registration = parsed(valid());
  EXPECT_EQ(registration.id, "irc");
  EXPECT_EQ(registration.url, "https://bridge.example:9000/app");
  EXPECT_EQ(registration.as_token, "as_secret");
  EXPECT_EQ(registration.hs_token, "hs_secret");
  EXPECT_EQ(registration.sender_localpart, "_irc.bot");
  EXPECT_EQ(registration.namespaces.users, (std::vector<NamespaceEntry>{{"@irc_.*", true}}));
  EXPECT_EQ(registration.namespaces.aliases, (std::vector<NamespaceEntry>{{"#irc_.*", false}}));
  EXPECT_TRUE(registration.namespaces.rooms.empty());
  EXPECT_FALSE(registration.rate_limited);
  EXPECT_EQ(registration.protocols, (std::vector<std::string>{"irc", "irc6"}));
  EXPECT_TRUE(registration.receive_ephemeral);
}

TEST(Registration, reads_back_what_it_writes) {
  for (const json::value& document : {json::value(valid()), json::value(with("url", nullptr)),
                                      json::value(with("namespaces", json::object()))}) {
    const json::object written = to_json(parsed(document), Secrets::show);
    EXPECT_EQ(json::serialize(to_json(parsed(written), Secrets::show)), json::serialize(written));
  }
}

TEST(Registration, hides_its_tokens_when_asked_to) {
  const std::string hidden = json::serialize(to_json(parsed(valid()), Secrets::hide));
  EXPECT_EQ(hidden.find("secret"), std::string::npos);
  EXPECT_NE(json::serialize(to_json(parsed(valid()), Secrets::show)).find("hs_secret"),
            std::string::npos);
}

TEST(Registration, is_an_object) {
  for (const std::string document : {"[]", "null", "\"irc\"", "3"}) {
    EXPECT_FALSE(parse_registration(json::parse(document), {})) << document;
  }
}

TEST(Registration, needs_its_required_fields) {
  for (const std::string key :
       {"id", "url", "as_token", "hs_token", "sender_localpart", "namespaces"}) {
    EXPECT_EQ(places_of(without(key)), Places{"/" + key});
    EXPECT_EQ(places_of(with(key, 3)), Places{"/" + key});
    EXPECT_EQ(places_of(with(key, true)), Places{"/" + key});
  }
  for (const std::string key : {"id", "as_token", "hs_token", "sender_localpart"}) {
    EXPECT_EQ(places_of(with(key, "")), Places{"/" + key});
    EXPECT_EQ(places_of(with(key, nullptr)), Places{"/" + key});
  }
}

TEST(Registration, reports_all_mistakes_at_once) {
  EXPECT_EQ(
      places_of(json::parse(R"json({
      "id": "a|b", "url": 3, "as_token": "", "protocols": "irc", "sender_localpart": "a b",
      "receive_ephemeral": "yes",
      "namespaces": {"users": [{"regex": "(?=a)"}, 7], "rooms": {}}})json")),
      (Places{"/id", "/url", "/as_token", "/hs_token", "/sender_localpart",
              "/namespaces/users/0/regex", "/namespaces/users/0/exclusive", "/namespaces/users/1",
              "/namespaces/rooms", "/protocols", "/receive_ephemeral"}));
}

TEST(Registration, has_an_id_that_fits_into_a_path) {
  EXPECT_TRUE(places_of(with("id", "a.B-9_~%20?#")).empty());
  EXPECT_TRUE(places_of(with("id", std::string(255, 'a'))).empty());
  for (const std::string& id : {std::string("a|b"), std::string("a/b"), std::string("a b"),
                                std::string("."), std::string(".."), std::string("ü"),
                                std::string("a\n"), std::string("\x7f"), std::string(256, 'a')}) {
    EXPECT_EQ(places_of(with("id", id)), Places{"/id"}) << id;
  }
}

TEST(Registration, has_a_localpart_that_needs_no_quoting) {
  EXPECT_TRUE(places_of(with("sender_localpart", "aZ0-._~/")).empty());
  for (const std::string localpart : {"a b", "a:b", "@a", "ü", "a%20", "a+b", "a=b", "a#"}) {
    EXPECT_EQ(places_of(with("sender_localpart", localpart)), Places{"/sender_localpart"});
  }
}

TEST(Registration, has_tokens_that_fit_into_a_header) {
  for (const std::string key : {"as_token", "hs_token"}) {
    EXPECT_TRUE(places_of(with(key, std::string(512, '~'))).empty());
    for (const std::string& token :
         {std::string(513, 'a'), std::string("a b"), std::string("a\r\nb"), std::string("ü")}) {
      EXPECT_EQ(places_of(with(key, token)), Places{"/" + key});
    }
  }
}

TEST(Registration, takes_a_null_url_for_a_service_that_is_not_pushed) {
  EXPECT_EQ(parsed(with("url", nullptr)).url, std::nullopt);
}

TEST(Registration, strips_slashes_from_the_end_of_its_url) {
  EXPECT_EQ(parsed(with("url", "http://a")).url, "http://a");
  EXPECT_EQ(parsed(with("url", "http://a///")).url, "http://a");
  EXPECT_EQ(parsed(with("url", "http://[::1]:80/a/b/")).url, "http://[::1]:80/a/b");
  EXPECT_EQ(parsed(with("url", "HTTPS://a/")).url, "HTTPS://a");
}

TEST(Registration, refuses_a_url_that_nothing_can_be_sent_to) {
  for (const std::string url : {"",
                                "/",
                                "a",
                                "a.b:80",
                                "//a",
                                "http:",
                                "http://",
                                "http:///a",
                                "ftp://a",
                                "file:///a",
                                "http://a b",
                                "http://a/ü",
                                "http://u@a",
                                "http://u:p@a",
                                "http://a?q",
                                "http://a/?",
                                "http://a#f",
                                "http://a:0",
                                "http://a:65536",
                                "http://a:x",
                                "http://[::1",
                                "http://a/%zz",
                                " http://a"}) {
    EXPECT_EQ(places_of(with("url", url)), Places{"/url"}) << url;
  }
}

TEST(Registration, needs_both_members_of_a_namespace_entry_and_their_kinds) {
  const auto places = [](std::string_view entry) {
    json::object namespaces;
    namespaces["users"] = json::array{json::parse(entry)};
    return places_of(with("namespaces", namespaces));
  };
  EXPECT_EQ(places(R"({"regex": "a", "exclusive": false})"), Places{});
  EXPECT_EQ(places(R"({"regex": "a"})"), Places{"/namespaces/users/0/exclusive"});
  EXPECT_EQ(places(R"({"regex": "a", "exclusive": "true"})"),
            Places{"/namespaces/users/0/exclusive"});
  EXPECT_EQ(places(R"({"exclusive": true})"), Places{"/namespaces/users/0/regex"});
  EXPECT_EQ(places(R"({"regex": ["a"], "exclusive": true})"), Places{"/namespaces/users/0/regex"});
  EXPECT_EQ(places(R"("a")"), Places{"/namespaces/users/0"});
}

TEST(Registration, needs_no_kind_of_namespace) {
  EXPECT_TRUE(places_of(with("namespaces", json::object())).empty());
  EXPECT_EQ(places_of(with("namespaces", nullptr)), Places{"/namespaces"});
  EXPECT_EQ(places_of(with("namespaces", json::array())), Places{"/namespaces"});
}

TEST(Registration, says_what_is_wrong_with_a_pattern) {
  json::object document = valid();
  document["namespaces"].as_object()["rooms"] = json::parse(R"json([
      {"regex": "!a", "exclusive": true}, {"regex": "!(?<!b)", "exclusive": true}])json");
  const auto refused = parse_registration(document, {});
  ASSERT_FALSE(refused);
  ASSERT_EQ(refused.error().fields.size(), 1U);
  EXPECT_EQ(refused.error().fields[0].pointer, "/namespaces/rooms/1/regex");
  EXPECT_NE(refused.error().fields[0].detail.find("lookbehind"), std::string::npos);
}

TEST(Registration, keeps_to_the_limits_of_patterns) {
  RegistrationLimits limits{.pattern_bytes_max = 7, .patterns_per_service_max = 2};
  EXPECT_TRUE(places_of(valid(), limits).empty());
  limits.pattern_bytes_max = 6;
  EXPECT_EQ(places_of(valid(), limits),
            (Places{"/namespaces/users/0/regex", "/namespaces/aliases/0/regex"}));
  limits.patterns_per_service_max = 1;
  EXPECT_EQ(places_of(valid(), limits), Places{"/namespaces"});
}

TEST(Registration, takes_anything_but_false_for_rate_limited) {
  EXPECT_FALSE(parsed(with("rate_limited", false)).rate_limited);
  EXPECT_TRUE(parsed(with("rate_limited", true)).rate_limited);
  EXPECT_TRUE(parsed(with("rate_limited", "no")).rate_limited);
  EXPECT_TRUE(parsed(with("rate_limited", 0)).rate_limited);
  EXPECT_TRUE(parsed(without("rate_limited")).rate_limited);
}

TEST(Registration, keeps_both_flags_for_ephemeral_facts_apart) {
  constexpr auto legacy = "de.sorunome.msc2409.push_ephemeral";
  for (const bool stable_flag : {false, true}) {
    for (const bool legacy_flag : {false, true}) {
      json::object document = with("receive_ephemeral", stable_flag);
      document[legacy] = legacy_flag;
      const Registration registration = parsed(document);
      EXPECT_EQ(registration.receive_ephemeral, stable_flag);
      EXPECT_EQ(registration.legacy_receive_ephemeral, legacy_flag);
    }
  }
  EXPECT_FALSE(parsed(without("receive_ephemeral")).receive_ephemeral);
  EXPECT_FALSE(parsed(without("receive_ephemeral")).legacy_receive_ephemeral);
  EXPECT_EQ(places_of(with(legacy, "true")), Places{std::string("/") + legacy});
}

TEST(Registration, has_protocols_that_are_strings) {
  EXPECT_TRUE(parsed(without("protocols")).protocols.empty());
  EXPECT_TRUE(parsed(with("protocols", nullptr)).protocols.empty());
  EXPECT_EQ(places_of(with("protocols", json::array{1})), Places{"/protocols"});
}

}  // namespace
}  // namespace postrider
