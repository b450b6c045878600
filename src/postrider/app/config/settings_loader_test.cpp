#include "postrider/app/config/settings_loader.hpp"

#include <gtest/gtest.h>

#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

class SettingsLoader : public testing::Test {
 protected:
  /// What `load_settings` says of this text: without the file's folder, one line for each mistake.
  std::vector<std::string> faults(const std::string& text, const Environment& environment = {}) {
    const auto settings = load_settings(folder_.write("c.yaml", text), environment, machine_bytes);
    std::vector<std::string> lines;
    if (settings) return lines;
    for (ConfigError error : settings.error()) {
      error.file = error.file.substr(error.file.rfind('/') + 1);
      lines.push_back(format_config_error(error));
    }
    return lines;
  }

  Settings loaded(const std::string& text, const Environment& environment = {}) {
    const auto settings = load_settings(folder_.write("c.yaml", text), environment, machine_bytes);
    if (settings) return *settings;
    for (const ConfigError& error : settings.error()) ADD_FAILURE() << format_config_error(error);
    return {};
  }

  std::uint64_t machine_bytes = std::uint64_t{8} << 30;
  TemporaryFolder folder_;
};

using Lines = std::vector<std::string>;

TEST_F(SettingsLoader, gives_the_defaults_for_nothing) {
  EXPECT_EQ(loaded(""), Settings{});
  EXPECT_EQ(load_settings("", {}, machine_bytes), Settings{});
  EXPECT_EQ(loaded("public:\nstreams:\nservices:\n"), Settings{});
}

TEST_F(SettingsLoader, reads_the_example_of_the_interface) {
  const Settings settings = loaded(R"(
database: sqlite:./x.db
public: {listen: "127.0.0.1:1"}
admin: {listen: "127.0.0.1:2"}
tokens: {admin: "change-me-admin", producers: ["change-me-producer"]}
streams: {events: {format: matrix}}
services: [registrations/irc.yaml]
outbound: {allow: ["127.0.0.0/8"]}
)");
  EXPECT_EQ(database_file(settings), "./x.db");
  EXPECT_EQ(settings.public_listen, "127.0.0.1:1");
  EXPECT_EQ(settings.admin_listen, "127.0.0.1:2");
  EXPECT_EQ(settings.tokens.admin, "change-me-admin");
  EXPECT_EQ(settings.tokens.producers, Lines{"change-me-producer"});
  EXPECT_EQ(settings.engine.streams.declared.at("events").format, "matrix");
  EXPECT_EQ(settings.services, Lines{folder_.file("registrations/irc.yaml")});
  EXPECT_EQ(settings.outbound_allow, Lines{"127.0.0.0/8"});
}

TEST_F(SettingsLoader, reads_every_kind_of_value) {
  const Settings settings = loaded(R"(
storage: {size_max: 2GiB}
public: {threads: 3}
append: {auto_create_streams: true}
delivery: {request_timeout: 250ms, backoff: {min: 1s, max: 10m, multiplier: 10}}
log: {level: error, format: json}
streams: {a: {retain: 1h}, b: , c: {}}
)");
  EXPECT_EQ(settings.sqlite.size_max_bytes, 2U << 30);
  EXPECT_EQ(settings.listener.threads, 3);
  EXPECT_TRUE(settings.engine.streams.auto_create);
  EXPECT_EQ(settings.engine.services.delivery.request_timeout, std::chrono::milliseconds{250});
  EXPECT_EQ(settings.engine.services.delivery.backoff.max, std::chrono::minutes{10});
  EXPECT_EQ(settings.engine.services.delivery.backoff.multiplier, 10);
  EXPECT_EQ(settings.log.level, LogLevel::error);
  EXPECT_EQ(settings.log.format, LogFormat::json);
  EXPECT_EQ(settings.engine.streams.declared.size(), 3U);
  EXPECT_EQ(settings.engine.streams.declared.at("a").retain, std::chrono::hours{1});
}

TEST_F(SettingsLoader, reports_all_mistakes_at_once_in_order) {
  const Lines lines = faults(R"(databse: sqlite:x
public:
  lisen: 127.0.0.1:1
  threads: many
delivery:
  transaction_facts_max: 0
  request_timeout: 60
  backoff: 5
append: {fact_bytes_max: 17MiB, auto_create_streams: "true"}
log: {level: loud}
colour: blue
)");
  const Lines expected = {
      "c.yaml:1: databse: unknown key; did you mean database?",
      "c.yaml:3: public.lisen: unknown key; did you mean listen?",
      "c.yaml:4: public.threads: \"many\" is not a whole number; allowed: 1 to 64",
      "c.yaml:6: delivery.transaction_facts_max: 0 is out of range; allowed: 1 to 10000",
      "c.yaml:7: delivery.request_timeout: \"60\" is not a duration like 250ms, 2s, 10m, 12h or "
      "7d; allowed: 100ms to 1h",
      "c.yaml:8: delivery.backoff: a text is not a map of settings; allowed: max, min, multiplier",
      "c.yaml:9: append.fact_bytes_max: 17MiB is out of range; allowed: 1KiB to 16MiB",
      "c.yaml:9: append.auto_create_streams: \"true\" is not a yes or no; allowed: true, false "
      "(without quotes)",
      "c.yaml:10: log.level: \"loud\" is not known; allowed: trace, debug, info, warn, error",
  };
  ASSERT_EQ(lines.size(), expected.size() + 1);
  EXPECT_EQ(Lines(lines.begin(), lines.end() - 1), expected);
  EXPECT_TRUE(lines.back().starts_with("c.yaml:11: colour: unknown key; allowed: admin, append"))
      << lines.back();
}

TEST_F(SettingsLoader, says_what_stands_where_a_value_should) {
  EXPECT_EQ(faults("public: {threads: [1]}"),
            Lines{"c.yaml:1: public.threads: a list is not a whole number; allowed: 1 to 64"});
  EXPECT_EQ(faults("public: {threads: }"),
            Lines{"c.yaml:1: public.threads: nothing is not a whole number; allowed: 1 to 64"});
  EXPECT_EQ(faults("public: {threads: '2'}"),
            Lines{"c.yaml:1: public.threads: \"2\" is not a whole number while it is in quotes; "
                  "allowed: 1 to 64"});
  EXPECT_EQ(faults("public: {threads: 99999999999999999999}"),
            Lines{"c.yaml:1: public.threads: 99999999999999999999 is out of range; allowed: 1 to "
                  "64"});
  EXPECT_EQ(faults("database: {a: 1}"),
            Lines{"c.yaml:1: database: a map is not a text; allowed: one text"});
  EXPECT_EQ(faults("services: x.yaml"),
            Lines{"c.yaml:1: services: a text is not a list; allowed: [first, second]"});
  EXPECT_EQ(faults("[1]").size(), 1U);
}

TEST_F(SettingsLoader, reads_where_the_attributes_of_a_stream_are) {
  const Settings settings = loaded(R"(streams:
  shop: {attributes: {type: /meta/type, key: /customer}, format: json}
  other: {attributes: {id: /number}}
)");
  using Pointers = std::map<std::string, std::string>;
  const auto& declared = settings.engine.streams.declared;
  EXPECT_EQ(declared.at("shop").attributes,
            (Pointers{{"type", "/meta/type"}, {"key", "/customer"}}));
  EXPECT_EQ(declared.at("other").attributes, (Pointers{{"id", "/number"}}));
}

TEST_F(SettingsLoader, reports_attributes_that_a_format_does_not_have_and_wrong_pointers) {
  const Lines lines = faults(R"(streams:
  a: {attributes: {type: meta}}
  b: {attributes: {colour: /c}}
  c: {attributes: {type: /t}, format: matrix}
  d: {attributes: [type]}
)");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[0].starts_with("c.yaml:2: streams.a.attributes.type: \"meta\" is not a JSON"))
      << lines[0];
  EXPECT_EQ(lines[1],
            "c.yaml:3: streams.b.attributes.colour: \"colour\" is not an attribute; allowed: type,"
            " subject, key, id, time");
  EXPECT_EQ(lines[2],
            "c.yaml:4: streams.c.attributes.type: \"type\" is not an attribute; allowed: nothing,"
            " in this format");
  EXPECT_TRUE(lines[3].starts_with("c.yaml:5: streams.d.attributes: a list is not a map"))
      << lines[3];
}

TEST_F(SettingsLoader, reports_mistakes_in_streams_and_lists_by_their_place) {
  const Lines lines = faults(R"(streams:
  Events: {}
  a: {format: xml, retian: 1d}
  b: matrix
outbound:
  allow:
    - 10.0.0.0/8
    - 10.0.0.0/99
tokens: {producers: [short]}
)");
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_TRUE(lines[0].starts_with("c.yaml:2: streams: \"Events\" cannot name a stream"));
  EXPECT_EQ(lines[1],
            "c.yaml:3: streams.a.format: \"xml\" is not a format of facts; allowed: json, matrix");
  EXPECT_EQ(lines[2], "c.yaml:3: streams.a.retian: unknown key; did you mean retain?");
  EXPECT_TRUE(lines[3].starts_with("c.yaml:4: streams.b: \"matrix\" is not a map")) << lines[3];
  EXPECT_TRUE(lines[4].starts_with("c.yaml:8: outbound.allow[1]: ")) << lines[4];
  EXPECT_TRUE(lines[5].starts_with("c.yaml:9: tokens.producers[0]: a token of 5 bytes"))
      << lines[5];
}

TEST_F(SettingsLoader, checks_settings_against_one_another_where_one_was_set) {
  EXPECT_EQ(faults("a: 1\nread: {limit_default: 2000}\n").size(), 2U);
  EXPECT_EQ(faults("read: {limit_default: 2000}"),
            Lines{"c.yaml:1: read.limit_default: read.limit_default (2000) is over read.limit_max "
                  "(1000)"});
  EXPECT_EQ(faults("delivery:\n  backoff:\n    max: 1s\n"),
            Lines{"c.yaml:3: delivery.backoff.max: delivery.backoff.min (2s) is over "
                  "delivery.backoff.max (1s)"});
  EXPECT_EQ(faults("append: {batch_bytes_max: 2KiB}").size(), 1U);
  EXPECT_EQ(faults("admin: {listen: '127.0.0.1:8480'}").size(), 1U);
  EXPECT_EQ(loaded("public: {listen: '127.0.0.1:0'}\nadmin: {listen: '127.0.0.1:0'}").admin_listen,
            "127.0.0.1:0");
}

TEST_F(SettingsLoader, never_repeats_a_token_that_stands_in_the_wrong_place) {
  for (const char* text : {"tokens: hush-hush", "tokens: {producers: hush-hush}",
                           "tokens: {producers: [hush hush]}", "tokens: {admin: hush hush}"}) {
    const Lines lines = faults(text);
    ASSERT_EQ(lines.size(), 1U) << text;
    EXPECT_EQ(lines[0].find("hush"), std::string::npos) << lines[0];
  }
}

TEST_F(SettingsLoader, lets_the_environment_override_the_file) {
  const Environment environment = {{"POSTRIDER_DATABASE", "sqlite:e.db"},
                                   {"POSTRIDER_PUBLIC_LISTEN", "127.0.0.1:9"},
                                   {"POSTRIDER_DELIVERY_BACKOFF_MIN", "3s"},
                                   {"POSTRIDER_TOKENS_PRODUCERS", "producer-1, producer-2"},
                                   {"POSTRIDER_STREAMS", "kept,fresh"},
                                   {"POSTRIDER_SERVICES", "s.yaml"},
                                   {"POSTRIDER_LOG_LEVEL", ""},
                                   {"HOME", "/root"}};
  const Settings settings = loaded(
      "database: sqlite:f.db\nstreams: {kept: {retain: 1h}, dropped: {}}\n"
      "log: {level: warn}\n",
      environment);
  EXPECT_EQ(settings.database, "sqlite:e.db");
  EXPECT_EQ(settings.public_listen, "127.0.0.1:9");
  EXPECT_EQ(settings.engine.services.delivery.backoff.min, std::chrono::seconds{3});
  EXPECT_EQ(settings.tokens.producers, (Lines{"producer-1", "producer-2"}));
  EXPECT_EQ(settings.engine.streams.declared.size(), 2U);
  EXPECT_EQ(settings.engine.streams.declared.at("kept").retain, std::chrono::hours{1});
  EXPECT_EQ(settings.engine.streams.declared.at("fresh"), StreamDeclaration{});
  EXPECT_EQ(settings.services, Lines{"s.yaml"});
  EXPECT_EQ(settings.log.level, LogLevel::warn);
}

TEST_F(SettingsLoader, names_the_variable_that_is_wrong) {
  const Environment environment = {
      {"POSTRIDER_PUBLIC_THREADS", "0"},      {"POSTRIDER_PUBLIC_LISEN", "127.0.0.1:9"},
      {"POSTRIDER_NONSENSE_ALTOGETHER", "1"}, {"POSTRIDER_URL", "http://h"},
      {"POSTRIDER_ADMIN_URL", "http://h"},    {"POSTRIDER_TOKEN", "t"}};
  const Lines lines = faults("", environment);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("environment: POSTRIDER_NONSENSE_ALTOGETHER: no setting"));
  EXPECT_EQ(lines[1],
            "environment: POSTRIDER_PUBLIC_LISEN: no setting has this name; did you mean "
            "POSTRIDER_PUBLIC_LISTEN?");
  EXPECT_EQ(lines[2], "environment: POSTRIDER_PUBLIC_THREADS: 0 is out of range; allowed: 1 to 64");
}

TEST_F(SettingsLoader, reads_token_files_beside_the_configuration) {
  (void)folder_.write("secret/admin", "admin-token\n");
  (void)folder_.write("secret/producers", "producer-1\r\n\nproducer-2\n");
  const Settings settings = loaded(
      "tokens: {admin_file: secret/admin, producers: [producer-0], producers_file: "
      "secret/producers}");
  EXPECT_EQ(settings.tokens.admin, "admin-token");
  EXPECT_EQ(settings.tokens.producers, (Lines{"producer-0", "producer-1", "producer-2"}));
}

TEST_F(SettingsLoader, reports_what_is_wrong_with_a_token_file) {
  const std::string missing = folder_.file("missing");
  EXPECT_EQ(faults("tokens: {admin_file: missing}"),
            Lines{"c.yaml:1: tokens.admin_file: " + missing +
                  " cannot be read: No such file or directory"});
  (void)folder_.write("empty", "\n");
  EXPECT_EQ(faults("tokens: {producers_file: empty}").size(), 1U);
  (void)folder_.write("bad", "producer-1\nno good\n");
  const Lines lines = faults("tokens: {producers_file: bad}");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].starts_with("bad:2: a token of 7 bytes with other characters")) << lines[0];
  (void)folder_.write("two", "admin-token-1\nadmin-token-2\n");
  EXPECT_EQ(faults("tokens: {admin_file: two}").size(), 1U);
}

TEST_F(SettingsLoader, wants_one_admin_token_that_no_producer_has) {
  EXPECT_EQ(faults("tokens: {admin: admin-token, admin_file: x}").size(), 1U);
  EXPECT_EQ(faults("tokens: {admin: one-token, producers: [one-token]}").size(), 1U);
  EXPECT_EQ(faults("tokens: {producers: [one-token, one-token]}").size(), 1U);
  const Environment environment = {{"POSTRIDER_TOKENS_ADMIN", "from-environment"}};
  EXPECT_EQ(loaded("tokens: {admin_file: missing}", environment).tokens.admin, "from-environment");
}

}  // namespace
}  // namespace postrider
