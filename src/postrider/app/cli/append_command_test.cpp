#include <gtest/gtest.h>

#include "postrider/app/cli/testing/scripted_server.hpp"
#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

constexpr const char* answer = R"({"first":1,"last":2,"count":2,"token":"t"})";

std::string header(const ApiRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(AppendCommand, sends_a_file_in_batches_in_order) {
  ScriptedServer server;
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "{\"a\":1}\n{\"a\": 2}\n{\"a\":3}\n");
  server.will_answer(200, answer);
  server.will_answer(200, answer);
  EXPECT_EQ(server.run({"append", "events", "--file", file, "--batch", "2", "--idempotency-prefix",
                        "p", "--url", "http://h/"}),
            ExitCode::ok);
  ASSERT_EQ(server.requests.size(), 2U);
  EXPECT_EQ(server.requests[0].url, "http://h/v1/streams/events/facts");
  EXPECT_EQ(server.requests[0].token, "test-token");
  EXPECT_EQ(server.requests[0].body, "[{\"a\":1},{\"a\": 2}]");
  EXPECT_EQ(server.requests[1].body, "[{\"a\":3}]");
  EXPECT_EQ(header(server.requests[0], "Idempotency-Key"), "p-0");
  EXPECT_EQ(header(server.requests[1], "Idempotency-Key"), "p-1");
  EXPECT_EQ(server.out.str(), std::string("3 facts appended to events\n") + answer + "\n");
}

TEST(AppendCommand, explains_who_gets_each_fact) {
  ScriptedServer server;
  server.will_answer(200, R"({"first":7,"last":8,"count":2,"token":"t","explanation":[)"
                          R"({"id":7,"attributes":{"type":"a","n":3},"receivers":["x","y"]},)"
                          R"({"id":8,"attributes":{},"receivers":[]}]})");
  EXPECT_EQ(server.run({"append", "s", "--explain", "--fact", "{}", "--fact", "{}"}), ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).url, "http://127.0.0.1:8480/v1/streams/s/facts?explain=true");
  EXPECT_TRUE(server.out.str().starts_with("fact 7 (type a, n 3): x, y\nfact 8: no receiver\n"))
      << server.out.str();
  server.will_answer(200, R"({"first":7,"last":8,"count":2,"token":"t","explanation":null})");
  EXPECT_EQ(server.run({"append", "s", "--explain", "--fact", "{}"}), ExitCode::ok);
  EXPECT_NE(server.out.str().find("had been appended before"), std::string::npos);
}

TEST(AppendCommand, takes_the_stream_and_arrays_behind_a_fact) {
  ScriptedServer server;
  server.will_answer(200, answer);
  EXPECT_EQ(server.run({"append", "--fact", R"([{"a":[1,2]},{"b":"]"}])", "--fact", "[{}]", "s"}),
            ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).url, "http://127.0.0.1:8480/v1/streams/s/facts");
  EXPECT_EQ(server.requests.at(0).body, R"([{"a":[1,2]},{"b":"]"},{}])");
}

TEST(AppendCommand, prints_only_the_answer_as_json) {
  ScriptedServer server;
  server.will_answer(200, answer);
  EXPECT_EQ(server.run({"append", "--fact", "{}", "--fact", "{}", "--json"}), ExitCode::ok);
  EXPECT_EQ(server.requests.at(0).body, "[{},{}]");
  EXPECT_EQ(server.out.str(), std::string(answer) + "\n");
}

TEST(AppendCommand, tries_again_under_the_same_key_while_that_may_help) {
  ScriptedServer server;
  server.answers.emplace_back(fail(Code::connection_failed, "refused"));
  server.will_answer(503, "");
  server.answers.back()->retry_after = std::chrono::seconds{7};
  server.will_answer(507, "");
  server.will_answer(200, answer);
  EXPECT_EQ(server.run({"append", "--fact", "{}"}), ExitCode::ok);
  ASSERT_EQ(server.requests.size(), 4U);
  EXPECT_EQ(header(server.requests[0], "Idempotency-Key"),
            header(server.requests[3], "Idempotency-Key"));
  EXPECT_FALSE(header(server.requests[0], "Idempotency-Key").empty());
  EXPECT_EQ(server.pauses,
            (std::vector<Duration>{std::chrono::milliseconds{250}, std::chrono::seconds{7},
                                   std::chrono::seconds{1}}));
}

TEST(AppendCommand, gives_up_when_the_time_is_over) {
  ScriptedServer server;
  EXPECT_EQ(server.run({"append", "--fact", "{}", "--retry-for", "1s"}), ExitCode::failed);
  EXPECT_EQ(server.requests.size(), 3U);
  EXPECT_NE(server.err.str().find("error: facts of lines 1 to 1 were not appended: cannot reach"),
            std::string::npos)
      << server.err.str();
}

TEST(AppendCommand, names_the_lines_of_facts_that_the_server_refuses) {
  ScriptedServer server;
  const TemporaryFolder folder;
  const std::string file = folder.write("f", "{}\n\n{\"type\":1}\n");
  server.will_answer(400, R"({"title":"Invalid request","detail":"a fact is wrong",
    "code":"invalid_argument","errors":[{"pointer":"/1/type","detail":"is not a text"}]})");
  EXPECT_EQ(server.run({"append", "--file", file}), ExitCode::failed);
  EXPECT_EQ(server.requests.size(), 1U);
  EXPECT_EQ(server.err.str(),
            "error: facts of lines 1 to 3 were not appended: Invalid request: a fact is wrong "
            "(invalid_argument)\n  line 3: /1/type: is not a text\n0 facts were appended before "
            "it\n");
}

TEST(AppendCommand, refuses_input_that_is_no_facts) {
  ScriptedServer server;
  EXPECT_EQ(server.run({"append", "--fact", "hello"}), ExitCode::bad_input);
  EXPECT_EQ(server.run({"append", "--file", "/nonexistent"}), ExitCode::bad_input);
  EXPECT_TRUE(server.requests.empty());
}

TEST(AppendCommand, wants_a_token) {
  ScriptedServer server;
  server.environment.clear();
  EXPECT_EQ(server.run({"append", "--fact", "{}"}), ExitCode::bad_input);
  EXPECT_NE(server.err.str().find("error: no token: give --token"), std::string::npos);
}

}  // namespace
}  // namespace postrider
