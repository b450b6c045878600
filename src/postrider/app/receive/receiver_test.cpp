#include "postrider/app/receive/receiver.hpp"

#include <fstream>
#include <mutex>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "postrider/api/http/testing/raw_client.hpp"
#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

class ReceiverTest : public ::testing::Test {
 protected:
  ReceiverTest() {
    settings.listen.port = 0;
    settings.wall_now = [] { return wall_time(1234); };
    settings.print = [this](std::string_view line) {
      const std::lock_guard lock(mutex);
      printed.emplace_back(line);
    };
  }

  void start() {
    receiver.emplace(settings);
    const auto started = receiver->start();
    ASSERT_TRUE(started) << started.error().detail;
  }

  int put(std::string_view path, std::string_view body = R"({"events":[{},{}]})",
          std::string_view header = "") {
    RawClient client(receiver->port());
    client.send(fmt::format("PUT {} HTTP/1.1\r\nHost: h\r\n{}Content-Length: {}\r\n\r\n{}", path,
                            header, body.size(), body));
    return client.response().status;
  }

  std::vector<int> statuses(int count) {
    std::vector<int> got;
    for (int i = 0; i < count; ++i) got.push_back(put(fmt::format("/t/{}", i)));
    return got;
  }

  std::string last_line() {
    const std::lock_guard lock(mutex);
    return printed.back();
  }

  ReceiverSettings settings;
  std::mutex mutex;
  std::vector<std::string> printed;
  std::optional<TrialReceiver> receiver;
};

TEST_F(ReceiverTest, says_where_it_listens) {
  start();
  EXPECT_EQ(last_line(),
            fmt::format("receiving on http://127.0.0.1:{} (Ctrl-C stops)\n", receiver->port()));
}

TEST_F(ReceiverTest, prints_one_line_for_a_transaction_and_marks_a_repeated_one) {
  start();
  EXPECT_EQ(put("/_matrix/app/v1/transactions/7"), 200);
  EXPECT_EQ(last_line(), "/_matrix/app/v1/transactions 7  2 facts, 18 bytes  200\n");
  EXPECT_EQ(put("/other/7"), 200);
  EXPECT_EQ(last_line(), "/other 7  2 facts, 18 bytes  200\n");
  EXPECT_EQ(put("/_matrix/app/v1/transactions/7"), 200);
  EXPECT_EQ(last_line(), "/_matrix/app/v1/transactions 7  2 facts, 18 bytes  200 repeated\n");
}

TEST_F(ReceiverTest, counts_ephemeral_facts_too) {
  start();
  put("/t/1", R"({"events":[{}],"ephemeral":[{},{}],"de.sorunome.msc2409.ephemeral":[{}]})");
  EXPECT_NE(last_line().find("4 facts"), std::string::npos) << last_line();
  put("/t/2", "not JSON");
  EXPECT_NE(last_line().find("no transaction, 8 bytes"), std::string::npos) << last_line();
}

TEST_F(ReceiverTest, marks_states_in_colour_when_told_to) {
  settings.colour = true;
  settings.fail_first = 1;
  start();
  put("/t/1");
  EXPECT_NE(last_line().find("\x1b[31m500\x1b[0m"), std::string::npos);
  put("/t/1");
  EXPECT_NE(last_line().find("\x1b[32m200\x1b[0m"), std::string::npos);
}

TEST_F(ReceiverTest, prints_json_when_told_to) {
  settings.json = true;
  start();
  put("/t/a%20b");
  EXPECT_EQ(last_line(),
            R"({"path":"/t","txn_id":"a b","received_ms":1234,"status":200,"facts":2,"bytes":18,)"
            "\"repeated\":false}\n");
}

TEST_F(ReceiverTest, prints_nothing_of_transactions_when_quiet) {
  settings.quiet = true;
  start();
  EXPECT_EQ(put("/t/1"), 200);
  EXPECT_TRUE(last_line().starts_with("receiving on "));
}

TEST_F(ReceiverTest, fails_the_first_and_every_so_many) {
  settings.fail_first = 2;
  settings.fail_every = 4;
  settings.fail_status = 503;
  start();
  EXPECT_EQ(statuses(8), (std::vector{503, 503, 200, 503, 200, 200, 200, 503}));
}

TEST_F(ReceiverTest, does_not_call_the_retry_of_a_failed_transaction_repeated) {
  settings.fail_first = 1;
  start();
  EXPECT_EQ(put("/t/1"), 500);
  EXPECT_EQ(put("/t/1"), 200);
  EXPECT_EQ(last_line().find("repeated"), std::string::npos);
}

TEST_F(ReceiverTest, drops_connections_and_knows_the_retry_again) {
  settings.drop_every = 2;
  start();
  EXPECT_EQ(put("/t/1"), 200);
  EXPECT_EQ(put("/t/2"), 0);
  EXPECT_EQ(last_line(), "/t 2  2 facts, 18 bytes  dropped\n");
  EXPECT_EQ(put("/t/2"), 200);
  EXPECT_NE(last_line().find("repeated"), std::string::npos);
}

TEST_F(ReceiverTest, asks_for_its_token) {
  settings.hs_token = "secret";
  start();
  EXPECT_EQ(put("/t/1"), 401);
  EXPECT_EQ(put("/t/1", "{}", "Authorization: Bearer other\r\n"), 403);
  EXPECT_EQ(put("/t/1", "{}", "Authorization: Bearer secret\r\n"), 200);
  EXPECT_EQ(put("/t/2?access_token=secret"), 200);
}

TEST_F(ReceiverTest, answers_after_its_delay) {
  settings.delay = std::chrono::milliseconds{1};
  start();
  EXPECT_EQ(put("/t/1"), 200);
}

TEST_F(ReceiverTest, has_a_transaction_in_its_log_before_the_answer_leaves) {
  const TemporaryFolder folder;
  settings.log_file = folder.file("log.ndjson");
  settings.fail_first = 1;
  start();
  EXPECT_EQ(put("/t/1", R"({"a":"ü"})"), 500);
  EXPECT_EQ(put("/t/1", "{}"), 200);
  std::ifstream log(settings.log_file);
  const std::string text((std::istreambuf_iterator<char>(log)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text,
            R"({"path":"/t","txn_id":"1","received_ms":1234,"status":500,"body":"{\"a\":\"ü\"}"})"
            "\n"
            R"({"path":"/t","txn_id":"1","received_ms":1234,"status":200,"body":"{}"})"
            "\n");
}

TEST_F(ReceiverTest, refuses_settings_that_cannot_work) {
  settings.fail_status = 200;
  EXPECT_EQ(TrialReceiver(settings).start().error().code, Code::invalid_argument);
  settings.fail_status = 500;
  settings.log_file = "/no/such/folder/log";
  const auto started = TrialReceiver(settings).start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().detail,
            "cannot append to the log file /no/such/folder/log: No such file or directory");
}

TEST_F(ReceiverTest, a_ping_between_does_not_hide_that_a_transaction_comes_again) {
  start();
  const auto post = [&](const std::string& id, const std::string& body) {
    RawClient client(receiver->port());
    client.send(
        fmt::format("POST /in HTTP/1.1\r\nHost: h\r\nwebhook-id: {}\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    id, body.size(), body));
    return client.response().status;
  };
  const std::string facts = R"({"id":"a-1","stream":"shop","first":1,"last":1,"facts":[{}]})";
  EXPECT_EQ(post("a-1", facts), 200);
  EXPECT_EQ(post("a-ping-1", R"({"id":"a-ping-1","stream":null,"facts":[]})"), 200);
  EXPECT_EQ(post("a-1", facts), 200);
  EXPECT_NE(last_line().find(" repeated"), std::string::npos) << last_line();
}

TEST_F(ReceiverTest, shows_and_verifies_a_webhook) {
  settings.secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  settings.wall_now = [] { return wall_time(1'614'265'330'000); };
  start();
  const std::string body =
      R"({"id":"a-1","stream":"shop","first":3,"last":9,"facts":[{"n":1},{"n":2}]})";
  const auto post = [&](std::string_view timestamp, const std::string& signature) {
    RawClient client(receiver->port());
    client.send(
        fmt::format("POST /in/here HTTP/1.1\r\nHost: h\r\nwebhook-id: a-1\r\n"
                    "webhook-timestamp: {}\r\nwebhook-signature: {}\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    timestamp, signature, body.size(), body));
    return client.response().status;
  };
  const auto signed_at = [&](std::string_view timestamp) {
    return settings.secret->sign("a-1", timestamp, body);
  };
  EXPECT_EQ(post("1614265330", signed_at("1614265330")), 200);
  EXPECT_EQ(last_line(),
            "/in/here a-1 \"shop\" 3..9  2 facts, 73 bytes  200  signature right\n"
            "    {\"n\":1}\n    {\"n\":2}\n");
  EXPECT_EQ(post("1614265331", signed_at("1614265330")), 401);
  EXPECT_NE(last_line().find("401  signature wrong"), std::string::npos) << last_line();
  EXPECT_EQ(post("1614265030", signed_at("1614265030")), 200);
  EXPECT_EQ(post("1614265029", signed_at("1614265029")), 401);
  EXPECT_NE(last_line().find("too old or too new"), std::string::npos) << last_line();
  EXPECT_EQ(post("1614265630", signed_at("1614265630")), 200);
  EXPECT_EQ(post("1614265631", signed_at("1614265631")), 401);
  EXPECT_EQ(post("soon", signed_at("soon")), 401);
  EXPECT_EQ(put("/t/1"), 401);
  EXPECT_NE(last_line().find("signature missing"), std::string::npos) << last_line();
}

TEST_F(ReceiverTest, takes_a_webhook_at_the_root_and_checks_nothing_without_a_secret) {
  start();
  RawClient client(receiver->port());
  client.send(
      "POST / HTTP/1.1\r\nHost: h\r\nwebhook-id: b-2\r\nContent-Length: 12\r\n\r\n"
      R"({"facts":[]})");
  EXPECT_EQ(client.response().status, 200);
  EXPECT_EQ(last_line(), "/ b-2  0 facts, 12 bytes  200  signature not checked\n");
}

TEST_F(ReceiverTest, shows_the_first_facts_of_a_webhook_cut_to_a_line) {
  start();
  std::string body = R"({"facts":[")" + std::string(300, 'x') + "\"";
  for (int i = 0; i < 6; ++i) body += ",{}";
  body += "]}";
  put("/t/1", body, "webhook-id: c\r\n");
  EXPECT_NE(last_line().find("\"" + std::string(199, 'x') + "…\n"), std::string::npos);
  EXPECT_TRUE(last_line().ends_with("    {}\n    … and 2 more\n")) << last_line();
}

TEST_F(ReceiverTest, takes_no_other_method) {
  start();
  RawClient client(receiver->port());
  client.send("GET /_matrix/app/v1/users/x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.response().status, 405);
}

}  // namespace
}  // namespace postrider
