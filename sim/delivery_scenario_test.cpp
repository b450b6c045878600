
#include <gtest/gtest.h>

#include "postrider/drivers/testing/temporary_database.hpp"
#include "postrider/engine/engine.hpp"
#include "postrider/matrix/matrix_receiver.hpp"
#include "postrider/stream/fact_parser.hpp"
#include "sim/scripted_receiver.hpp"
#include "sim/world/run.hpp"

namespace postrider::sim {
namespace {

using std::chrono::seconds;

/// One process of the real engine over a real database file, in virtual time.
class Process {
 public:
  Process(VirtualRuntime& runtime, ScriptedReceiver& receiver, const std::string& file)
      : runtime_(runtime),
        lane_(runtime),
        database_(SqliteDatabase::open({.path = file, .size_max_bytes = 0, .vfs = {}}).value()),
        writer_(database_->connect(SqliteDatabase::Access::read_write).value()),
        reader_(database_->connect(SqliteDatabase::Access::read_only).value()),
        engine_(EnginePorts{runtime, Reader{lane_, *writer_}, Reader{lane_, *reader_}, receiver},
                settings()) {
    EXPECT_TRUE(run(engine_.start({})));
  }

  template <class T>
  T run(Async<T> task) {
    return sim::run(runtime_, std::move(task));
  }

  void stop() {
    run(engine_.stop(seconds{1}, [] {}));
  }

  void put_service() {
    Registration registration;
    registration.id = "a";
    registration.url = "http://receiver.test";
    registration.as_token = "as_a";
    registration.hs_token = "hs_a";
    registration.sender_localpart = "bot";
    registration.namespaces.users = {{"@.*", false}};
    EXPECT_TRUE(run(engine_.delivery()->services().put(
        std::make_shared<const MatrixReceiver>(registration), ServiceSource::api)));
  }

  void append(int number) {
    Stream* stream = run(engine_.streams().find_or_create("events")).value();
    auto facts =
        parse_facts(fmt::format(R"({{"type":"t","sender":"@a:x","room_id":"!r","n":{}}})", number),
                    BodyKind::json, stream->format(), {});
    EXPECT_TRUE(run(stream->append(std::move(facts).value(), std::nullopt)));
  }

  bool wait_until_delivered(Duration limit = std::chrono::hours{1}) {
    return runtime_.run_until(
        [this] {
          const auto* stream = engine_.streams().all().front();
          const auto service = engine_.delivery()->services().find("a");
          return stream->sort_lag() == 0 && service->behind() == 0;
        },
        limit);
  }

  Engine& engine() { return engine_; }

 private:
  static EngineSettings settings() {
    EngineSettings settings;
    settings.streams.declared["events"].format = "matrix";
    return settings;
  }

  VirtualRuntime& runtime_;
  InlineLane lane_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqlConnection> writer_;
  std::unique_ptr<SqlConnection> reader_;
  Engine engine_;
};

class DeliveryScenario : public testing::Test {
 protected:
  std::unique_ptr<Process> start() {
    return std::make_unique<Process>(runtime, receiver, folder.file("p.db"));
  }

  std::vector<std::size_t> sizes() const {
    std::vector<std::size_t> sizes;
    for (const auto& arrival : receiver.arrivals) {
      std::size_t count = 0;
      for (auto at = arrival.body.find("\"n\":"); at != std::string::npos;
           at = arrival.body.find("\"n\":", at + 1)) {
        ++count;
      }
      sizes.push_back(count);
    }
    return sizes;
  }

  VirtualRuntime runtime;
  ScriptedReceiver receiver{runtime};
  TemporaryFolder folder;
};

TEST_F(DeliveryScenario, facts_that_come_during_a_transaction_go_together_in_full_ones) {
  const auto process = start();
  process->put_service();
  receiver.latency = seconds{5};
  for (int i = 0; i < 200; ++i) process->append(i);
  EXPECT_TRUE(process->wait_until_delivered());
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{1, 100, 99}));
  EXPECT_EQ(receiver.in_flight_max, 1);
  process->stop();
}

TEST_F(DeliveryScenario, a_failing_receiver_is_retried_after_2_4_8_and_16_seconds_unchanged) {
  const auto process = start();
  process->put_service();
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index < 4 ? 500 : 200);
  };
  process->append(1);
  EXPECT_TRUE(process->wait_until_delivered());
  ASSERT_EQ(receiver.arrivals.size(), 5U);
  std::vector<Duration> waits;
  for (std::size_t i = 1; i < receiver.arrivals.size(); ++i) {
    waits.push_back(receiver.arrivals[i].at - receiver.arrivals[i - 1].at);
    EXPECT_EQ(receiver.arrivals[i].url, receiver.arrivals[0].url);
    EXPECT_EQ(receiver.arrivals[i].body, receiver.arrivals[0].body);
  }
  EXPECT_EQ(waits, (std::vector<Duration>{seconds{2}, seconds{4}, seconds{8}, seconds{16}}));
  const auto service = process->engine().delivery()->services().find("a");
  EXPECT_EQ(service->delivery.status, DeliveryStatus::up);
  EXPECT_EQ(service->delivery.attempts, 0);
  process->stop();
}

TEST_F(DeliveryScenario, a_restart_keeps_the_backoff_and_the_frozen_transaction) {
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index < 3 ? 503 : 200);
  };
  auto process = start();
  process->put_service();
  process->append(1);
  EXPECT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 3; }));
  const auto down = [&process] {
    return process->engine().delivery()->services().find("a")->delivery.attempts == 3;
  };
  EXPECT_TRUE(runtime.run_until(down));
  process->stop();
  process.reset();

  process = start();
  process->append(2);
  EXPECT_TRUE(process->wait_until_delivered());
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{1, 1, 1, 1, 1}));
  EXPECT_GE(receiver.arrivals[3].at - receiver.arrivals[2].at, seconds{8});
  EXPECT_EQ(receiver.arrivals[3].url, receiver.arrivals[2].url);
  EXPECT_EQ(receiver.arrivals[3].body, receiver.arrivals[2].body);
  process->stop();
}

TEST_F(DeliveryScenario, a_paused_service_gets_nothing_however_long_it_takes) {
  const auto process = start();
  process->put_service();
  EXPECT_TRUE(process->run(process->engine().delivery()->services().pause("a")));
  process->append(1);
  EXPECT_FALSE(process->wait_until_delivered());
  EXPECT_TRUE(receiver.arrivals.empty());
  EXPECT_TRUE(process->run(process->engine().delivery()->services().resume("a")));
  EXPECT_TRUE(process->wait_until_delivered());
  EXPECT_EQ(receiver.arrivals.size(), 1U);
  process->stop();
}

}  // namespace
}  // namespace postrider::sim
