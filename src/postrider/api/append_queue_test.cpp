#include "postrider/api/append_queue.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "postrider/drivers/testing/temporary_database.hpp"
#include "postrider/stream/fact_parser.hpp"
#include "sim/scripted_receiver.hpp"
#include "sim/world/run.hpp"

namespace postrider {
namespace {

namespace asio = boost::asio;

class AppendQueueTest : public testing::Test {
 protected:
  AppendQueueTest() {
    settings.streams.declared["events"] = {};
    engine.emplace(EnginePorts{runtime, Reader{lane, *writer}, Reader{lane, *reader}, receiver},
                   settings);
    EXPECT_TRUE(sim::run(runtime, engine->start({})));
    stream = sim::run(runtime, engine->streams().find_or_create("events")).value();
    appends.emplace(*engine);
  }
  ~AppendQueueTest() override { stop(); }
  void stop() {
    sim::run(runtime, engine->stop({}, [] {}));
  }

  /// Of a connection that is served by `server`, once that runs.
  void append(asio::io_context& server, std::size_t padding = 0) {
    auto facts =
        parse_facts(fmt::format(R"({{"type":"t","sender":"@a:x","room_id":"!r:x","n":"{}"}})",
                                std::string(padding, 'p')),
                    BodyKind::json, stream->format(), {});
    asio::co_spawn(server, appends->append(stream, std::move(facts).value()),
                   [this, &server](const std::exception_ptr& error, Result<AppendReceipt> receipt) {
                     EXPECT_FALSE(error);
                     EXPECT_TRUE(server.get_executor().running_in_this_thread());
                     receipts.push_back(std::move(receipt));
                   });
  }
  void run_engine() { runtime.run_for(std::chrono::milliseconds{1}); }
  std::vector<StreamId> take_ids() {
    std::vector<StreamId> ids;
    for (const auto& receipt : std::exchange(receipts, {})) ids.push_back(receipt.value().last);
    return ids;
  }

  sim::VirtualRuntime runtime;
  sim::InlineLane lane{runtime};
  sim::ScriptedReceiver receiver{runtime};
  TemporaryDatabase database;
  std::unique_ptr<SqlConnection> writer = database.connect_writer();
  std::unique_ptr<SqlConnection> reader = database.connect_reader();
  EngineSettings settings;
  std::optional<Engine> engine;
  asio::io_context first;
  asio::io_context second;
  std::optional<AppendQueue> appends;
  Stream* stream = nullptr;
  std::vector<Result<AppendReceipt>> receipts;
};

using Ids = std::vector<StreamId>;

TEST_F(AppendQueueTest, what_comes_at_the_same_time_is_one_commit) {
  for (int i = 0; i < 3; ++i) append(first);
  first.poll();
  run_engine();
  EXPECT_TRUE(receipts.empty());
  first.restart();
  first.poll();
  EXPECT_EQ(take_ids(), (Ids{StreamId{1}, StreamId{2}, StreamId{3}}));
  EXPECT_NE(engine->metrics_text().find("\npostrider_facts_per_commit_count 1\n"),
            std::string::npos);
  EXPECT_NE(engine->metrics_text().find("\npostrider_facts_appended_total 3\n"), std::string::npos);
}

TEST_F(AppendQueueTest, each_connection_goes_on_where_it_is_served) {
  append(first);
  first.poll();
  append(second);
  second.poll();
  first.restart();
  append(first);
  first.poll();
  run_engine();
  first.restart();
  first.poll();
  EXPECT_EQ(take_ids(), (Ids{StreamId{1}, StreamId{3}}));
  second.restart();
  second.poll();
  EXPECT_EQ(take_ids(), Ids{StreamId{2}});
}

TEST_F(AppendQueueTest, large_bodies_do_not_wait_for_others) {
  append(first, 70'000);
  first.poll_one();
  run_engine();
  EXPECT_EQ(stream->linear_position(), StreamId{1});
  first.poll();
  EXPECT_EQ(take_ids(), Ids{StreamId{1}});
}

TEST_F(AppendQueueTest, what_came_before_its_server_stopped_is_appended) {
  append(first);
  first.poll_one();
  first.stop();
  run_engine();
  EXPECT_EQ(stream->linear_position(), StreamId{0});
  appends->hand_over();
  run_engine();
  EXPECT_EQ(stream->linear_position(), StreamId{1});
}

TEST_F(AppendQueueTest, says_why_nothing_was_appended) {
  stop();
  append(first);
  first.poll();
  run_engine();
  first.restart();
  first.poll();
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts.front().error().code, Code::stopping);
}

}  // namespace
}  // namespace postrider
