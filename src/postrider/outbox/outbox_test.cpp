#include <gtest/gtest.h>

#include "postrider/drivers/postgres/outbox_connection.hpp"
#include "postrider/drivers/postgres/testing/postgres_server.hpp"
#include "postrider/outbox/outbox_drain.hpp"
#include "postrider/store/stream_ids.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {
namespace {

/// An application's own database.
std::string new_database() {
  static int count = 0;
  const std::string& server = PostgresServer::shared().url();
  const std::string name = fmt::format("application_{}", ++count);
  const auto connection = open_outbox_connection(server).value();
  EXPECT_TRUE(connection->execute_once("CREATE DATABASE " + name));
  return server.substr(0, server.rfind('/') + 1) + name;
}

class Application {
 public:
  Application() { EXPECT_TRUE(connection->execute_once(outbox_definition())); }

  Result<void> append(const std::string& stream, const std::string& payload,
                      const std::string& key = "NULL") {
    return connection->execute_once(
        fmt::format("SELECT postrider.append('{}', '{}', {})", stream, payload, key));
  }
  void append_numbers(int from, int through) {
    ASSERT_TRUE(connection->execute_once(fmt::format(
        "SELECT postrider.append('events', jsonb_build_object('type', 't', 'sender', '@a:x',"
        " 'room_id', '!r', 'n', n)) FROM generate_series({}, {}) AS n",
        from, through)));
  }
  OutboxStatus status() { return read_outbox_status(*connection).value(); }

  std::string url = new_database();
  std::unique_ptr<SqlConnection> connection = open_outbox_connection(url).value();
};

TEST(Outbox, a_database_without_one_says_how_to_make_it) {
  const auto connection = open_outbox_connection(new_database()).value();
  const auto identity = read_outbox_identity(*connection);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().code, Code::storage_incompatible);
  EXPECT_NE(identity.error().detail.find("postrider outbox install"), std::string::npos);
}

TEST(Outbox, can_be_installed_again_and_stays_the_same) {
  Application application;
  application.append_numbers(1, 2);
  const std::string before = read_outbox_identity(*application.connection).value();
  ASSERT_TRUE(application.connection->execute_once(outbox_definition()));
  EXPECT_EQ(read_outbox_identity(*application.connection).value(), before);
  EXPECT_EQ(application.status().waiting, 2);
  EXPECT_NE(read_outbox_identity(*Application().connection).value(), before);
}

TEST(Outbox, what_can_never_be_a_fact_is_refused_in_the_transaction) {
  Application application;
  for (const char* stream : {"", "A", "-a", "a b", "a/b"}) {
    EXPECT_FALSE(application.append(stream, "{}")) << stream;
  }
  EXPECT_FALSE(application.append(std::string(64, 'a'), "{}"));
  EXPECT_TRUE(application.append(std::string(63, 'a'), "{}"));
  for (const char* payload : {"[]", "1", "null", "\"text\""}) {
    const auto refused = application.append("events", payload);
    ASSERT_FALSE(refused) << payload;
    EXPECT_NE(refused.error().detail.find("must be a JSON object"), std::string::npos);
  }
  EXPECT_EQ(application.status().waiting, 1);
}

TEST(Outbox, rows_of_one_key_get_their_ids_in_the_order_of_their_commits) {
  Application application;
  const auto other = open_outbox_connection(application.url).value();
  ASSERT_TRUE(other->execute_once("SET lock_timeout = '50ms'"));
  ASSERT_TRUE(application.connection->begin());
  ASSERT_TRUE(application.append("events", R"({"n":1})", "'a'"));
  EXPECT_FALSE(other->execute_once("SELECT postrider.append('events', '{\"n\":2}', 'a')"));
  EXPECT_TRUE(other->execute_once("SELECT postrider.append('events', '{\"n\":2}', 'b')"));
  EXPECT_TRUE(other->execute_once("SELECT postrider.append('others', '{\"n\":2}', 'a')"));
  EXPECT_TRUE(other->execute_once("SELECT postrider.append('events', '{\"n\":2}')"));
  ASSERT_TRUE(application.connection->commit());
  EXPECT_TRUE(other->execute_once("SELECT postrider.append('events', '{\"n\":2}', 'a')"));
}

TEST(Outbox, a_batch_is_bounded_in_rows_and_bytes_but_never_empty) {
  Application application;
  application.append_numbers(1, 5);
  const auto read = [&application](const OutboxLimits& limits) {
    return read_outbox_rows(*application.connection, limits).value();
  };
  EXPECT_EQ(read({}).size(), 5U);
  EXPECT_EQ(read({.rows_max = 2}).size(), 2U);
  const auto bytes = static_cast<std::size_t>(read({}).front().payload_bytes);
  EXPECT_EQ(read({.bytes_max = 2 * bytes}).size(), 2U);
  EXPECT_EQ(read({.bytes_max = 2 * bytes + 1}).size(), 3U);
  EXPECT_EQ(read({.bytes_max = 1}).size(), 1U);
  EXPECT_TRUE(read({.fact_bytes_max = bytes}).front().payload);
  EXPECT_FALSE(read({.fact_bytes_max = bytes - 1}).front().payload);
}

TEST(Outbox, is_asked_again_after_a_tenth_of_the_time_since_rows_came) {
  using std::chrono::milliseconds;
  const auto pause = [](std::int64_t since) {
    return outbox_pause(milliseconds{50}, milliseconds{since});
  };
  EXPECT_EQ(pause(0), milliseconds{5});
  EXPECT_EQ(pause(50), milliseconds{5});
  EXPECT_EQ(pause(60), milliseconds{6});
  EXPECT_EQ(pause(499), Duration{milliseconds{499}} / 10);
  EXPECT_EQ(pause(500), milliseconds{50});
  EXPECT_EQ(pause(3'600'000), milliseconds{50});
}

class OutboxDrainTest : public StreamWorld {
 protected:
  ~OutboxDrainTest() override { stop(); }

  void start() {
    const auto connect = [this]() -> Result<std::unique_ptr<SqlConnection>> {
      TRY(auto connection, open_outbox_connection(application.url));
      auto watched = std::make_unique<WatchedConnection>(std::move(connection));
      outbox = watched.get();
      return watched;
    };
    drain = std::make_unique<OutboxDrain>(runtime, OutboxPort{lane, connect}, Reader{lane, *reader},
                                          *committer, *streams, settings, fact_limits,
                                          OutboxMetrics{taken, refused});
    drain->start();
  }
  void stop() {
    if (!drain) return;
    drain->request_stop();
    run(drain->stopped());
    drain.reset();
  }
  void pass(Duration duration) { runtime.run_for(duration); }

  /// The numbers in the facts of the stream.
  std::vector<int> numbers() {
    std::vector<int> found;
    for (StreamId after; after < events->linear_position();) {
      const FactRun facts = run(events->read(after, 1000, Stream::WithAttributes::no)).value();
      for (const Chunk& chunk : facts.chunks) {
        for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
          const std::string_view payload = chunk.payload(id);
          found.push_back(std::stoi(std::string(payload.substr(payload.find("\"n\": ") + 5))));
        }
      }
      after = facts.through;
    }
    return found;
  }
  static std::vector<int> sequence(int through) {
    std::vector<int> numbers;
    for (int number = 1; number <= through; ++number) numbers.push_back(number);
    return numbers;
  }

  Application application;
  Stream* events = only_stream(open_stream());
  prometheus::Counter taken;
  prometheus::Counter refused;
  OutboxSettings settings;
  FactLimits fact_limits;
  WatchedConnection* outbox = nullptr;  ///< the drain's
  std::unique_ptr<OutboxDrain> drain;
};

TEST_F(OutboxDrainTest, rows_become_facts_in_order_and_are_gone) {
  settings.limits.rows_max = 10;
  application.append_numbers(1, 95);
  start();
  pass(std::chrono::seconds{1});
  EXPECT_EQ(numbers(), sequence(95));
  EXPECT_EQ(application.status().waiting, 0);
  EXPECT_EQ(taken.Value(), 95);
  application.append_numbers(96, 97);
  pass(settings.poll_interval * 2);
  EXPECT_EQ(numbers(), sequence(97));
}

TEST_F(OutboxDrainTest, it_is_asked_more_often_while_rows_come) {
  start();
  pass(std::chrono::minutes{1});
  const int before = outbox->statements;
  pass(settings.poll_interval * 10);
  const int at_rest = outbox->statements - before;
  for (int n = 1; n <= 10; ++n) {
    application.append_numbers(n, n);
    pass(n == 1 ? settings.poll_interval : settings.poll_interval / 2);
    EXPECT_EQ(numbers(), sequence(n));
  }
  pass(std::chrono::minutes{1});
  const int after = outbox->statements;
  pass(settings.poll_interval * 10);
  EXPECT_LE(outbox->statements - after, at_rest + 1);
}

TEST_F(OutboxDrainTest, rows_that_are_facts_already_are_deleted_by_whoever_begins_next) {
  application.append_numbers(1, 3);
  writer->before_commit = [this] { outbox->fail_commits = true; };
  start();
  pass(std::chrono::seconds{1});
  EXPECT_EQ(numbers(), sequence(3));
  stop();
  EXPECT_EQ(application.status().waiting, 3) << "the test ends the drain before it deletes";
  application.append_numbers(4, 5);
  start();
  pass(std::chrono::seconds{1});
  EXPECT_EQ(numbers(), sequence(5));
  EXPECT_EQ(application.status().waiting, 0);
}

TEST_F(OutboxDrainTest, a_row_whose_id_was_given_out_before_is_a_new_one) {
  application.append_numbers(1, 3);
  start();
  pass(std::chrono::seconds{1});
  stop();
  ASSERT_TRUE(application.connection->execute_once("TRUNCATE postrider.outbox RESTART IDENTITY"));
  application.append_numbers(4, 5);
  start();
  pass(std::chrono::seconds{1});
  EXPECT_EQ(numbers(), sequence(5));
}

TEST_F(OutboxDrainTest, whoever_comes_second_appends_nothing_and_begins_anew) {
  start();
  pass(std::chrono::seconds{1});
  application.append_numbers(1, 3);
  const std::string identity = read_outbox_identity(*application.connection).value();
  // Another process takes the first two while this one has read all three.
  outbox->before_commit = [&] {
    EXPECT_TRUE(put_outbox_batch(*writer, identity, {events->key(), 1, {}, "{1,2}"}, {}).value());
  };
  pass(std::chrono::seconds{5});
  EXPECT_EQ(numbers(), std::vector{3});
  EXPECT_EQ(application.status().waiting, 0);
}

TEST_F(OutboxDrainTest, a_batch_follows_the_one_before_in_number_and_in_place) {
  const auto put = [this](std::int64_t number, StreamId first, StreamId last) {
    return put_outbox_batch(*writer, "identity", {events->key(), number, last, ""}, first).value();
  };
  EXPECT_FALSE(put(2, StreamId{1}, StreamId{5}));
  EXPECT_TRUE(put(1, StreamId{1}, StreamId{5}));
  EXPECT_FALSE(put(1, StreamId{6}, StreamId{7}));
  EXPECT_FALSE(put(3, StreamId{6}, StreamId{7}));
  EXPECT_FALSE(put(2, StreamId{5}, StreamId{7}));
  EXPECT_TRUE(put(2, StreamId{6}, StreamId{7}));
}

TEST_F(OutboxDrainTest, each_row_is_one_fact_whatever_fails) {
  settings.limits.rows_max = 7;
  sim::Random random(1);
  int last = 0;
  start();
  for (int step = 0; step < 300; ++step) {
    const int count = static_cast<int>(random.below(20));
    application.append_numbers(last + 1, last + count);
    last += count;
    switch (random.below(8)) {
      case 0:
        writer->commits_refused = 1;
        break;
      case 1:
        writer->answers_lost = 1;
        break;
      case 2:
        if (outbox != nullptr) outbox->commits_refused = 1;
        break;
      case 3:
        if (outbox != nullptr) outbox->answers_lost = 1;
        break;
      case 4:
        writer->fail_commits = true;
        break;
      case 5:
        writer->fail_commits = false;
        break;
      case 6:
        stop();
        start();
        break;
      default:
        break;
    }
    pass(std::chrono::milliseconds(random.below(400)));
  }
  writer->fail_commits = false;
  pass(std::chrono::minutes{1});
  EXPECT_EQ(numbers(), sequence(last));
  EXPECT_EQ(application.status().waiting, 0);
}

TEST_F(OutboxDrainTest, what_is_no_fact_is_put_aside_and_can_be_tried_again) {
  application.append_numbers(1, 2);
  ASSERT_TRUE(application.append("events", R"({"type":5})"));
  ASSERT_TRUE(application.append("unknown", R"({"type":"t"})"));
  ASSERT_TRUE(
      application.append("events", fmt::format(R"({{"type":"{}"}})", std::string(2000, 'x'))));
  application.append_numbers(3, 4);
  fact_limits.fact_bytes_max = 1024;
  start();
  pass(std::chrono::seconds{1});
  EXPECT_EQ(numbers(), sequence(4));
  const OutboxStatus status = application.status();
  EXPECT_EQ(status.waiting, 0);
  ASSERT_EQ(status.refused_rows.size(), 3U);
  EXPECT_NE(status.refused_rows[0].reason.find("/type"), std::string::npos);
  EXPECT_NE(status.refused_rows[1].reason.find("\"unknown\""), std::string::npos);
  EXPECT_NE(status.refused_rows[2].reason.find("append.fact_bytes_max"), std::string::npos);
  EXPECT_EQ(refused.Value(), 3);
  ASSERT_TRUE(application.connection->execute_once(
      "UPDATE postrider.outbox_refused SET payload = '{\"type\":\"t\",\"n\":5}', stream = 'events'"
      " WHERE stream = 'unknown'"));
  EXPECT_EQ(retry_refused_rows(*application.connection).value(), 3);
  pass(std::chrono::seconds{1});
  EXPECT_EQ(numbers(), sequence(5));
  EXPECT_EQ(application.status().refused, 2);
}

TEST_F(OutboxDrainTest, an_array_that_was_put_there_by_hand_is_no_body_of_facts) {
  ASSERT_TRUE(application.connection->execute_once(
      "ALTER TABLE postrider.outbox DROP CONSTRAINT outbox_payload_check;"
      " INSERT INTO postrider.outbox (stream, payload) VALUES ('events', '[{\"type\":\"t\"}]')"));
  application.append_numbers(1, 2);
  start();
  pass(std::chrono::seconds{1});
  EXPECT_EQ(numbers(), sequence(2));
  EXPECT_EQ(application.status().refused, 1);
}

TEST_F(OutboxDrainTest, a_row_can_be_refused_under_an_id_that_was_refused_before) {
  start();
  for (int time = 1; time <= 2; ++time) {
    ASSERT_TRUE(application.append("events", R"({"type":5})"));
    pass(std::chrono::seconds{1});
    EXPECT_EQ(application.status().refused, time);
    ASSERT_TRUE(application.connection->execute_once("TRUNCATE postrider.outbox RESTART IDENTITY"));
  }
}

TEST_F(OutboxDrainTest, facts_stand_behind_those_that_another_process_took) {
  events = only_stream(open_stream({}, StreamId{0}, &session));
  ASSERT_TRUE(prepare_ids(*writer, events->key(), StreamId{0}));
  events->begin_session({});
  // The rest of the first thousand is left, and somebody took from the outbox under the second.
  ASSERT_EQ(run(events->append(facts(*events, 1), std::nullopt)).value().last, StreamId{1});
  ASSERT_TRUE(prepare_ids(*writer, events->key(), StreamId{2000}));
  const std::string identity = read_outbox_identity(*application.connection).value();
  const OutboxBatch theirs{events->key(), 1, StreamId{1500}, ""};
  ASSERT_TRUE(put_outbox_batch(*writer, identity, theirs, {}).value());
  application.append_numbers(1, 1);
  start();
  pass(std::chrono::seconds{5});
  EXPECT_EQ(read_outbox_batches(*writer, identity).value().front().last, StreamId{2001});
}

TEST_F(OutboxDrainTest, a_stream_that_another_process_has_just_made_is_waited_for) {
  ASSERT_TRUE(put_stream(*writer, "newcomer", "plain", runtime.wall_now()));
  ASSERT_TRUE(application.append("newcomer", R"({"type":"t"})"));
  start();
  pass(std::chrono::seconds{5});
  EXPECT_EQ(application.status().waiting, 1);
  EXPECT_EQ(application.status().refused, 0);
}

}  // namespace
}  // namespace postrider
