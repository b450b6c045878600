#include "postrider/engine/engine.hpp"

#include <gtest/gtest.h>

#include "postrider/drivers/testing/temporary_database.hpp"
#include "postrider/stream/fact_parser.hpp"
#include "sim/scripted_receiver.hpp"
#include "sim/world/held_lane.hpp"
#include "sim/world/run.hpp"

namespace postrider {
namespace {

class EngineTest : public testing::Test {
 protected:
  ~EngineTest() override { stop(); }

  Result<void> start() {
    stop();
    engine = std::make_unique<Engine>(
        EnginePorts{runtime, Reader{lane, *writer}, Reader{background, *reader}, receiver},
        settings);
    return sim::run(runtime, engine->start({}));
  }
  void stop() {
    if (engine) sim::run(runtime, engine->stop({}, [] {}));
    engine.reset();
  }

  Result<Stream*> stream(const std::string& name) {
    return sim::run(runtime, engine->streams().find_or_create(name));
  }
  StreamId append(Stream& to) {
    auto batch = parse_facts(R"({"type":"t","sender":"@a:x","room_id":"!r:x"})", BodyKind::json,
                             to.format(), {});
    return sim::run(runtime, to.append(std::move(batch).value(), std::nullopt)).value().last;
  }

  void put_webhook() {
    const boost::json::value document = {{"kind", "webhook"},
                                         {"id", "w"},
                                         {"url", "http://w.test"},
                                         {"secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}};
    auto parsed = engine->kinds().parse(document);
    ASSERT_TRUE(sim::run(runtime, engine->delivery()->services().put(std::move(parsed).value(),
                                                                     ServiceSource::api)));
  }
  /// The webhook has all that there is.
  bool run_until_idle() {
    return runtime.run_until([this] {
      const auto service = engine->delivery()->services().find("w");
      return sort_lag() == 0 && !service->delivering && service->behind() == 0;
    });
  }

  /// Of the only stream.
  std::int64_t sort_lag() { return engine->streams().all().front()->sort_lag(); }

  sim::VirtualRuntime runtime;
  sim::InlineLane lane{runtime};
  sim::HeldLane background{runtime};
  sim::ScriptedReceiver receiver{runtime};
  TemporaryDatabase database;
  std::unique_ptr<SqlConnection> writer = database.connect_writer();
  std::unique_ptr<SqlConnection> reader = database.connect_reader();
  EngineSettings settings;
  std::unique_ptr<Engine> engine;
};

TEST_F(EngineTest, declared_streams_exist_and_others_are_not_found) {
  settings.streams.declared["events"] = {};
  ASSERT_TRUE(start());
  EXPECT_TRUE(stream("events"));
  const auto missing = stream("other");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_NE(missing.error().detail.find("\"other\""), std::string::npos);
}

TEST_F(EngineTest, a_stream_is_created_when_it_is_first_asked_for_if_the_settings_say_so) {
  settings.streams.auto_create = true;
  ASSERT_TRUE(start());
  Stream* created = stream("new").value();
  EXPECT_EQ(stream("new").value(), created);
  EXPECT_EQ(append(*created), StreamId{1});
}

TEST_F(EngineTest, positions_go_on_after_a_restart) {
  settings.streams.declared["events"] = {};
  ASSERT_TRUE(start());
  append(*stream("events").value());
  ASSERT_TRUE(start());
  EXPECT_EQ(append(*stream("events").value()), StreamId{2});
  EXPECT_EQ(engine->streams().all().size(), 1U);
}

TEST_F(EngineTest, a_stream_that_is_no_longer_declared_is_still_served) {
  settings.streams.declared["events"] = {};
  ASSERT_TRUE(start());
  append(*stream("events").value());
  settings.streams.declared.clear();
  ASSERT_TRUE(start());
  EXPECT_TRUE(stream("events"));
}

TEST_F(EngineTest, a_stream_does_not_change_its_format) {
  settings.streams.declared["events"].format = "matrix";
  ASSERT_TRUE(start());
  settings.streams.declared["events"].format = "json";
  const auto refused = start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_incompatible);
  EXPECT_NE(refused.error().detail.find("format matrix"), std::string::npos);
}

TEST_F(EngineTest, a_stream_whose_format_is_not_declared_keeps_the_one_that_it_has) {
  settings.streams.declared["events"].format = "matrix";
  ASSERT_TRUE(start());
  settings.streams.declared["events"].format.clear();
  settings.streams.declared["new"] = {};
  ASSERT_TRUE(start());
  EXPECT_EQ(engine->streams().find("events")->format().name(), "matrix");
  EXPECT_EQ(engine->streams().find("new")->format().name(), "json");
}

TEST_F(EngineTest, one_commit_is_between_an_append_and_the_request_to_an_idle_receiver) {
  settings.streams.declared["events"] = {};
  ASSERT_TRUE(start());
  put_webhook();
  append(*stream("events").value());
  ASSERT_TRUE(run_until_idle());
  ASSERT_EQ(receiver.arrivals.size(), 1U);

  const double before = engine->metrics().committer().commits.Value();
  append(*stream("events").value());
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 2; }));
  EXPECT_EQ(engine->metrics().committer().commits.Value(), before + 1);
  ASSERT_TRUE(run_until_idle());
  EXPECT_EQ(engine->metrics().committer().commits.Value(), before + 2);  // what it has taken
}

TEST_F(EngineTest, appends_do_not_wait_for_what_a_registration_takes) {
  settings.streams.declared["events"].format = "json";
  ASSERT_TRUE(start());
  Stream& events = *stream("events").value();
  append(events);
  ASSERT_TRUE(runtime.run_until([this] { return sort_lag() == 0; }));
  background.hold();
  put_webhook();
  const StreamId last = append(events);
  EXPECT_EQ(append(events), last.plus(1));
  EXPECT_EQ(sort_lag(), 2) << "its interest is being compiled";
  background.release();
  ASSERT_TRUE(run_until_idle());
  EXPECT_EQ(engine->delivery()->services().find("w")->delivered(), 2);
}

TEST_F(EngineTest, facts_that_every_service_has_are_gone_soon_after_their_time) {
  settings.streams.declared["events"].retain = std::chrono::seconds{2};
  ASSERT_TRUE(start());
  put_webhook();
  append(*stream("events").value());
  ASSERT_TRUE(run_until_idle());
  EXPECT_EQ(stream("events").value()->dropped_through(), StreamId{0});
  runtime.run_for(std::chrono::seconds{4});
  EXPECT_EQ(stream("events").value()->dropped_through(), StreamId{1});
}

TEST_F(EngineTest, metrics_say_how_far_sorting_is_behind_and_how_many_services_are_up) {
  settings.streams.declared["events"] = {};
  ASSERT_TRUE(start());
  append(*stream("events").value());
  EXPECT_EQ(sort_lag(), 1);
  ASSERT_TRUE(runtime.run_until([this] { return sort_lag() == 0; }));
  const std::string text = engine->metrics_text();
  EXPECT_NE(text.find("postrider_sort_lag_ids{stream=\"events\"} 0"), std::string::npos) << text;
  EXPECT_NE(text.find("postrider_services{state=\"up\"} 0"), std::string::npos) << text;
}

TEST_F(EngineTest, metrics_of_a_service_go_with_it) {
  settings.per_service_metrics = true;
  ASSERT_TRUE(start());
  put_webhook();
  const std::string series = "postrider_service_behind_facts{service=\"w\"} 0";
  EXPECT_NE(engine->metrics_text().find(series), std::string::npos);
  ASSERT_TRUE(sim::run(runtime, engine->delivery()->services().remove("w")));
  EXPECT_EQ(engine->metrics_text().find("service=\"w\""), std::string::npos);
  put_webhook();
  EXPECT_NE(engine->metrics_text().find(series), std::string::npos);
}

}  // namespace
}  // namespace postrider
