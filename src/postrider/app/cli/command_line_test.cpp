#include "postrider/app/cli/command_line.hpp"

#include <sstream>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "postrider/app/cli/testing/scripted_server.hpp"
#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

/// A program with one command that has an option of each type.
struct Shop {
  std::string item;
  std::uint64_t count = 1;
  int size = 3;
  std::optional<std::int64_t> price;
  std::vector<std::string> labels;
  std::string colour;
  bool gift = false;
  int orders = 0;
  std::ostringstream out;
  std::ostringstream err;
  CommandLine line{"shop", ""};

  Shop() {
    line.program().require_command();
    CliCommand order = line.program().add_command("order", "Order something");
    order.add_option("item", item, "a picture of it").type_name("FILE").required();
    order.add_option("--count,-c", count, "so many").show_default();
    CliOption size_option = order.add_option("--size", size, "how large").range(1, 5);
    order.add_option("--price", price, "at most").excludes(size_option);
    order.add_option("--label", labels, "what is printed on it");
    order.add_option("--colour", colour, "of it").one_of({"red", "blue"}).needs(size_option);
    order.add_flag("--gift", gift, "wrap it");
    order.callback([this] { ++orders; });
  }

  ExitCode parse(std::vector<std::string> arguments) {
    return line.parse(std::move(arguments), out, err);
  }
};

TEST(CommandLine, sets_variables_of_every_type_and_calls_back) {
  Shop shop;
  EXPECT_EQ(shop.parse({"order", "cup", "-c", "2", "--size", "5", "--label", "a", "--label",
                        "[b,c]", "--label", "c", "--colour", "blue", "--gift"}),
            ExitCode::ok);
  EXPECT_EQ(shop.orders, 1);
  EXPECT_EQ(shop.item, "cup");
  EXPECT_EQ(shop.count, 2U);
  EXPECT_EQ(shop.size, 5);
  EXPECT_EQ(shop.price, std::nullopt);
  EXPECT_EQ(shop.labels, (std::vector<std::string>{"a", "[b,c]", "c"}));
  EXPECT_EQ(shop.colour, "blue");
  EXPECT_TRUE(shop.gift);
  EXPECT_EQ(shop.out.str() + shop.err.str(), "");
  Shop other;
  EXPECT_EQ(other.parse({"order", "cup", "--price", "-7"}), ExitCode::ok);
  EXPECT_EQ(other.price, -7);
  EXPECT_FALSE(other.gift);
}

TEST(CommandLine, calls_nothing_back_after_a_mistake) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"order"},
        {"order", "cup", "saucer"},
        {"order", "cup", "--count", "many"},
        {"order", "cup", "--size", "0"},
        {"order", "cup", "--size", "6"},
        {"order", "cup", "--size", "1", "--price", "1"},
        {"order", "cup", "--size", "1", "--colour", "pink"},
        {"order", "cup", "--colour", "red"}}) {
    Shop shop;
    EXPECT_EQ(shop.parse(arguments), ExitCode::bad_input) << testing::PrintToString(arguments);
    EXPECT_EQ(shop.orders, 0);
    EXPECT_EQ(shop.out.str(), "");
    EXPECT_NE(shop.err.str(), "");
  }
}

TEST(CommandLine, prints_help_instead_of_calling_back) {
  Shop shop;
  EXPECT_EQ(shop.parse({"order", "--help"}), ExitCode::ok);
  EXPECT_EQ(shop.orders, 0);
  EXPECT_EQ(shop.err.str(), "");
  EXPECT_NE(shop.out.str().find("-c,--count UINT=1"), std::string::npos) << shop.out.str();
}

TEST(CommandLine, outlines_what_it_declares) {
  const CommandOutline outline = Shop().line.outline();
  EXPECT_EQ(outline.name, "shop");
  ASSERT_EQ(outline.commands.size(), 1U);
  const CommandOutline& order = outline.commands[0];
  EXPECT_EQ(order.name, "order");
  EXPECT_TRUE(order.commands.empty());
  ASSERT_EQ(order.options.size(), 8U);  // help comes first
  EXPECT_EQ(order.options[0].names, std::vector<std::string>{"--help"});
  EXPECT_TRUE(order.options[1].is_argument && order.options[1].takes_file);
  EXPECT_TRUE(order.options[1].names.empty());
  EXPECT_EQ(order.options[2].names, std::vector<std::string>{"--count"});
  EXPECT_FALSE(order.options[2].is_argument || order.options[2].takes_file);
  EXPECT_EQ(order.options[6].choices, (std::vector<std::string>{"red", "blue"}));
}

TEST(CommandLine, prints_help_and_version_with_success) {
  ScriptedServer server;
  EXPECT_EQ(server.run({"--help"}), ExitCode::ok);
  EXPECT_NE(server.out.str().find("Exit codes: 0 done"), std::string::npos);
  EXPECT_EQ(server.run({"--version"}), ExitCode::ok);
  EXPECT_EQ(server.run({"version"}), ExitCode::ok);
  EXPECT_NE(server.out.str().find("postrider " POSTRIDER_VERSION), std::string::npos);
}

TEST(CommandLine, shows_an_example_in_every_help) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"serve"},
                                                  {"check-config"},
                                                  {"append"},
                                                  {"tail"},
                                                  {"services"},
                                                  {"services", "list"},
                                                  {"services", "show"},
                                                  {"services", "put"},
                                                  {"services", "delete"},
                                                  {"services", "pause"},
                                                  {"services", "resume"},
                                                  {"services", "retry"},
                                                  {"receive"},
                                                  {"healthcheck"},
                                                  {"version"},
                                                  {"completion"}}) {
    ScriptedServer server;
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    EXPECT_EQ(server.run(arguments), ExitCode::ok);
    EXPECT_NE(server.out.str().find("Example: "), std::string::npos) << command.back();
  }
}

TEST(CommandLine, calls_bad_usage_bad_input) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"fly"},
                                                    {"tail", "--nonsense"},
                                                    {"services"},
                                                    {"services", "show"},
                                                    {"completion", "tcsh"},
                                                    {"append", "--batch", "0"},
                                                    {"services", "put", "irc", "--users", "x"}}) {
    ScriptedServer server;
    EXPECT_EQ(server.run(arguments), ExitCode::bad_input);
    EXPECT_TRUE(server.requests.empty());
    EXPECT_NE(server.err.str(), "");
  }
}

TEST(CommandLine, hands_serve_its_configuration) {
  ScriptedServer server;
  EXPECT_EQ(server.run({"serve", "--config", "c.yaml"}), ExitCode::ok);
  EXPECT_EQ(server.served, "served c.yaml");
}

TEST(CommandLine, finds_the_server_by_flag_then_environment_then_configuration) {
  const TemporaryFolder folder;
  const std::string config =
      folder.write("c.yaml", "admin: {listen: '0.0.0.0:7'}\ntokens: {admin: config-token}\n");
  ScriptedServer server;
  server.environment = {{"POSTRIDER_ADMIN_URL", "http://e"}, {"POSTRIDER_TOKEN", "env-token"}};
  EXPECT_EQ(server.run({"services", "show", "a/b", "--admin-url", "http://f", "--token",
                        "flag-token", "--config", config}),
            ExitCode::failed);
  EXPECT_EQ(server.run({"services", "show", "a", "--config", config}), ExitCode::failed);
  server.environment.clear();
  EXPECT_EQ(server.run({"services", "show", "a", "--config", config}), ExitCode::failed);
  ASSERT_EQ(server.requests.size(), 3U);
  EXPECT_EQ(server.requests[0].url, "http://f/v1/services/a%2Fb");
  EXPECT_EQ(server.requests[0].token, "flag-token");
  EXPECT_EQ(server.requests[1].url, "http://e/v1/services/a");
  EXPECT_EQ(server.requests[1].token, "env-token");
  EXPECT_EQ(server.requests[2].url, "http://127.0.0.1:7/v1/services/a");
  EXPECT_EQ(server.requests[2].token, "config-token");
}

TEST(CommandLine, reads_the_tokens_that_the_server_made) {
  const TemporaryFolder folder;
  const std::string config =
      folder.write("c.yaml", "database: sqlite:" + folder.file("p.db") + "\n");
  (void)folder.write("p.db.tokens", "admin: admin-token\nproducer: producer-token\n");
  ScriptedServer server;
  server.environment.clear();
  EXPECT_EQ(server.run({"services", "list", "--config", config}), ExitCode::failed);
  EXPECT_EQ(server.run({"append", "--fact", "{}", "--retry-for", "0s", "--config", config}),
            ExitCode::failed);
  ASSERT_EQ(server.requests.size(), 2U);
  EXPECT_EQ(server.requests[0].token, "admin-token");
  EXPECT_EQ(server.requests[1].token, "producer-token");
}

TEST(CommandLine, shows_every_mistake_of_a_broken_configuration) {
  const TemporaryFolder folder;
  const std::string config = folder.write("c.yaml", "a: 1\nb: 2\n");
  ScriptedServer server;
  server.environment.clear();
  EXPECT_EQ(server.run({"services", "list", "--config", config}), ExitCode::bad_input);
  EXPECT_NE(server.err.str().find(config + ":1: a: unknown key"), std::string::npos);
  EXPECT_NE(server.err.str().find(config + ":2: b: unknown key"), std::string::npos);
}

TEST(HealthcheckCommand, says_whether_the_server_is_ready) {
  ScriptedServer server;
  server.environment.clear();
  server.will_answer(200, "{}");
  EXPECT_EQ(server.run({"healthcheck", "--url", "http://h"}), ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).url, "http://h/readyz");
  server.will_answer(503, "");
  EXPECT_EQ(server.run({"healthcheck"}), ExitCode::failed);
  EXPECT_EQ(server.requests.at(1).url, "http://127.0.0.1:8480/readyz");
  EXPECT_EQ(server.run({"healthcheck"}), ExitCode::failed);
}

TEST(ServicesCommand, sends_orders_and_prints_the_new_state) {
  ScriptedServer server;
  server.will_answer(200, R"({"id":"irc","state":"paused"})");
  EXPECT_EQ(server.run({"services", "pause", "irc"}), ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).method, "POST");
  EXPECT_EQ(server.requests.at(0).url, "http://127.0.0.1:8481/v1/services/irc/pause");
  EXPECT_EQ(server.out.str(), "service irc: paused\n");
  server.will_answer(204, "");
  EXPECT_EQ(server.run({"services", "delete", "irc"}), ExitCode::ok);
  EXPECT_EQ(server.requests.at(1).method, "DELETE");
}

TEST(ServicesCommand, registers_from_options_and_shows_the_tokens) {
  ScriptedServer server;
  server.will_answer(201, R"({"id":"irc","kind":"matrix","as_token":"as-1","hs_token":"hs-1"})");
  EXPECT_EQ(server.run({"services", "put", "irc", "--url", "http://127.0.0.1:9000", "--users",
                        "@irc_.*", "--users", "@i:.*", "--rooms", "!r:.*"}),
            ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).method, "PUT");
  EXPECT_EQ(server.requests.at(0).body,
            R"({"id":"irc","kind":"matrix","url":"http://127.0.0.1:9000","sender_localpart":"irc",)"
            R"("namespaces":{"users":[{"regex":"@irc_.*","exclusive":false},{"regex":"@i:.*",)"
            R"("exclusive":false}],"rooms":[{"regex":"!r:.*","exclusive":false}],"aliases":[]}})");
  EXPECT_EQ(server.out.str(),
            "service irc: registered, matrix\nShown this once, so keep it:\n"
            "  hs_token: hs-1  (Postrider shows it to the service)\n"
            "  as_token: as-1  (the service shows it to Postrider)\n");
}

TEST(ServicesCommand, registers_a_webhook_unless_an_option_is_of_matrix) {
  ScriptedServer server;
  server.will_answer(
      201, R"({"id":"orders","kind":"webhook","secret":"whsec_x","warnings":["no stream"]})");
  EXPECT_EQ(server.run({"services", "put", "orders", "--url", "http://127.0.0.1:9000", "--types",
                        "order.*", "--streams", "shop", "--header", "X-Team: shop"}),
            ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).body,
            R"({"id":"orders","kind":"webhook","url":"http://127.0.0.1:9000","types":["order.*"],)"
            R"("streams":["shop"],"headers":{"X-Team":"shop"}})");
  EXPECT_EQ(server.out.str(),
            "service orders: registered, webhook\nwarning: no stream\n"
            "Shown this once, so keep it:\n"
            "  secret: whsec_x  (the receiver verifies signatures with it)\n");
  server.will_answer(201, R"({"id":"all","kind":"webhook"})");
  EXPECT_EQ(server.run({"services", "put", "all", "--url", "http://h"}), ExitCode::ok);
  EXPECT_EQ(server.requests.at(1).body, R"({"id":"all","kind":"webhook","url":"http://h"})");
}

TEST(ServicesCommand, refuses_options_of_two_kinds_and_a_header_without_a_colon) {
  ScriptedServer server;
  EXPECT_EQ(
      server.run({"services", "put", "a", "--url", "http://h", "--types", "x", "--users", "@.*"}),
      ExitCode::bad_input);
  EXPECT_EQ(server.run({"services", "put", "a", "--url", "http://h", "--header", "X"}),
            ExitCode::bad_input);
  EXPECT_NE(server.err.str().find("allowed: NAME: VALUE"), std::string::npos);
  EXPECT_TRUE(server.requests.empty());
}

TEST(ServicesCommand, pings_and_fails_when_the_receiver_does) {
  ScriptedServer server;
  server.will_answer(200, R"({"id":"a","state":"up","status":200,"duration_ms":3,"error":null})");
  EXPECT_EQ(server.run({"services", "ping", "a"}), ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).url, "http://127.0.0.1:8481/v1/services/a/ping");
  EXPECT_EQ(server.out.str(), "service a: answered HTTP 200 in 3 ms; it is up\n");
  server.will_answer(200, R"({"id":"a","state":"down","status":500,"error":"HTTP 500"})");
  EXPECT_EQ(server.run({"services", "ping", "a"}), ExitCode::failed);
}

TEST(ServicesCommand, registers_from_a_file_and_shows_mistakes_at_their_lines) {
  const TemporaryFolder folder;
  const std::string file = folder.write("r.yaml", "id: irc\nurl: null\nnamespaces: {}\n");
  ScriptedServer server;
  server.will_answer(400, R"({"title":"Invalid request","errors":[
    {"pointer":"/url","detail":"is wrong"}]})");
  EXPECT_EQ(server.run({"services", "put", file}), ExitCode::failed);
  EXPECT_EQ(server.requests.at(0).url, "http://127.0.0.1:8481/v1/services/irc");
  EXPECT_NE(server.err.str().find(file + ":2: /url: is wrong"), std::string::npos)
      << server.err.str();
  EXPECT_EQ(server.run({"services", "put", folder.write("n.yaml", "url: x\n")}),
            ExitCode::bad_input);
}

TEST(TailCommand, reads_pages_to_the_end) {
  ScriptedServer server;
  server.will_answer(200, R"({"facts":[{"id":1,"fact":{"a":1}}],"token":"t1"})");
  server.will_answer(200, R"({"facts":[],"token":"t1"})");
  EXPECT_EQ(server.run({"tail", "events"}), ExitCode::ok);
  ASSERT_EQ(server.requests.size(), 2U);
  EXPECT_EQ(server.requests[0].url, "http://127.0.0.1:8480/v1/streams/events/facts");
  EXPECT_EQ(server.requests[1].url, "http://127.0.0.1:8480/v1/streams/events/facts?after=t1");
  EXPECT_EQ(server.out.str(), "1  {\"a\":1}\n");
}

TEST(TailCommand, stops_at_its_limit) {
  ScriptedServer server;
  server.will_answer(200, R"({"facts":[{"id":1,"fact":{}},{"id":2,"fact":{}}],"token":"t"})");
  EXPECT_EQ(server.run({"tail", "-n", "1", "--after", "t 0", "--json"}), ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).url,
            "http://127.0.0.1:8480/v1/streams/events/facts?after=t%200&limit=1");
  EXPECT_EQ(server.out.str(), "{\"id\":1,\"fact\":{}}\n");
}

TEST(TailCommand, follows_from_now_and_connects_again_where_it_was) {
  ScriptedServer server;
  server.will_answer(200, R"({"token":"t0"})");
  server.will_answer(200, "event: fact\nid: t1\ndata: {\"id\":1,\"fact\":{\"a\":1}}\n\n");
  server.answers.emplace_back(fail(Code::connection_failed, "refused"));
  server.will_answer(200, "id: t2\ndata: {\"id\":2,\"fact\":{\"a\":2}}\n\n");
  EXPECT_EQ(server.run({"tail", "--follow", "--limit", "2"}), ExitCode::ok);
  ASSERT_EQ(server.requests.size(), 4U);
  const auto last_seen = [&server](std::size_t index) {
    return server.requests[index].headers.at(1).second;
  };
  EXPECT_EQ(last_seen(1), "t0");
  EXPECT_EQ(last_seen(2), "t1");
  EXPECT_EQ(last_seen(3), "t1");
  EXPECT_EQ(server.out.str(), "1  {\"a\":1}\n2  {\"a\":2}\n");
  EXPECT_EQ(server.pauses.size(), 2U);
}

TEST(TailCommand, gives_up_when_the_server_says_no) {
  ScriptedServer server;
  server.will_answer(404, R"({"title":"Not found","detail":"no stream named x"})");
  EXPECT_EQ(server.run({"tail", "x", "--follow"}), ExitCode::failed);
  EXPECT_EQ(server.err.str(), "error: Not found: no stream named x (404)\n");
}

TEST(CheckConfigCommand, counts_or_reports) {
  const TemporaryFolder folder;
  const std::string good = folder.write("g.yaml", "streams: {a: {}}\n");
  const std::string bad = folder.write("b.yaml", "services: [missing.yaml]\n");
  ScriptedServer server;
  EXPECT_EQ(server.run({"check-config", "--config", good}), ExitCode::ok);
  EXPECT_EQ(server.out.str(), good + ": ok, 1 stream, 0 services\n");
  EXPECT_EQ(server.run({"check-config", "--config", bad}), ExitCode::bad_input);
  EXPECT_EQ(server.err.str(),
            folder.file("missing.yaml") + ": cannot be read: No such file or directory\n");
}

}  // namespace
}  // namespace postrider
