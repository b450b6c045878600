#include "postrider/runtime/testing/start_stop.hpp"

#include "postrider/delivery/testing/delivery_world.hpp"
#include "postrider/engine/engine.hpp"
#include "postrider/engine/retention.hpp"
#include "postrider/outbox/outbox_drain.hpp"
#include "postrider/sort/testing/type_sorter_world.hpp"
#include "sim/sweep/fake_outbox.hpp"
#include "sim/world/air.hpp"

namespace postrider {
namespace {

/// A world of tests as a part of an adapter.
template <class World>
class Part : public World {
 public:
  sim::VirtualRuntime& world() { return this->runtime; }
  void fail() {
    is_failing = true;
    for (WatchedConnection* const each : {this->writer.get(), this->reader.get()}) {
      each->refusal = Code::storage_failed;
      each->refuses = [](const Statement&, std::span<const SqlValue>) { return true; };
    }
  }

 protected:
  bool is_failing = false;

 private:
  void TestBody() override {}
};

class CommitterTask : public Part<StreamWorld> {
 public:
  void start() { subject.start(); }
  Async<void> stop() { return subject.stop(); }
  void make_busy() {
    for (int i = 0; i < 3; ++i) gate.spawn(commit(this), "commit");
  }
  void fail() {
    Part::fail();
    writer->refusal = Code::storage_unavailable;  // which is tried again
  }
  [[nodiscard]] std::int64_t effects() const { return committed; }

 private:
  static Async<void> commit(CommitterTask* task) {
    static constexpr Statement change_sql{"UPDATE streams SET name = name"};
    std::function<Result<void>(SqlConnection&)> apply =
        [](SqlConnection& connection) -> Result<void> {
      TRY_VOID(connection.execute(change_sql));
      return {};
    };
    const Result<void> done = co_await task->subject.commit(std::move(apply));
    if (done) ++task->committed;
  }

  std::int64_t committed = 0;
  Gate gate{runtime};
  Committer subject{runtime, Reader{lane, *writer}, Reader{lane, *reader},
                    CommitterMetrics{commit_count, pages_written, commit_seconds}, nullptr};
};

class RetentionTask : public Part<StreamWorld> {
 public:
  void start() { subject.start(); }
  Async<void> stop() { return subject.stop(); }
  void make_busy() {
    if (is_failing) return;
    const auto receipt = run(stream->append(facts(*stream, 1), std::nullopt)).value();
    stream->set_sorted({receipt.last, 0});
  }
  [[nodiscard]] std::int64_t effects() const { return std::llround(dropped.Value()); }

 private:
  Stream* stream = only_stream(open_stream({.retain = std::chrono::seconds{1}}));
  prometheus::Counter dropped;
  Retention subject{runtime, *committer, Reader{lane, *reader}, *streams, std::chrono::hours{1},
                    dropped};
};

class CompactionTask : public Part<DecisionWorld> {
 public:
  void start() { subject.start(); }
  Async<void> stop() { return subject.stop(); }
  void make_busy() {
    if (is_failing) return;
    decide(key, {{{service}, {++decided}}});
  }
  [[nodiscard]] std::int64_t effects() const { return decided - std::ssize(tails->of(key).rows()); }
  CompactionTask() { subject.watch(key); }

 private:
  std::int64_t decided = 0;
  StreamKey key = add_stream_row("events");
  ServiceKey service = add_service_row("a");
  Compaction subject{runtime, *committer, *tails, {.row_age_max = std::chrono::milliseconds{1}}};
};

class SorterTask : public Part<TypeSorterWorld> {
 public:
  SorterTask() {
    ask_for(keys[0], "t");
    sorter = std::make_unique<Sorter>(
        runtime, *committer, Reader{lane, *reader}, *stream, inboxes, tail,
        DecidedBy{catalog, policy}, SorterSettings{},
        SorterMetrics{facts_sorted, inbox_entries, facts_unwanted, facts_quarantined});
  }
  void start() { sorter->start(); }
  Async<void> stop() { return sorter->stop(); }
  void make_busy() {
    if (!is_failing) append("t");
  }
  [[nodiscard]] std::int64_t effects() const { return std::llround(facts_sorted.Value()); }
};

class OutboxTask : public Part<StreamWorld> {
 public:
  void start() { subject.start(); }
  Async<void> stop() {
    subject.request_stop();
    return subject.stopped();
  }
  void make_busy() {
    ++last;
    outbox.rows[last] = fmt::format(R"({{"type":"t","n":{}}})", last);
  }
  [[nodiscard]] std::int64_t effects() const { return std::llround(taken.Value()); }

 private:
  std::int64_t last = 0;
  sim::FakeOutbox outbox;
  OutboxPort port{lane, [this]() -> Result<std::unique_ptr<SqlConnection>> {
                    return std::make_unique<sim::FakeOutboxConnection>(outbox);
                  }};
  Stream* events = only_stream(open_stream());
  prometheus::Counter taken;
  prometheus::Counter refused;
  OutboxDrain subject{
      runtime,          port,         Reader{lane, *reader},        *committer, *streams,
      OutboxSettings{}, FactLimits{}, OutboxMetrics{taken, refused}};
};

class DeliveryTask : public Part<DeliveryWorld> {
 public:
  DeliveryTask() { put_service("a"); }
  void start() { registry->start_delivery(); }
  Async<void> stop() {
    controller->request_stop();
    return controller->gate().drained();
  }
  void make_busy() {
    if (!is_failing) deliver("a", 1, ++last);
  }
  [[nodiscard]] std::int64_t effects() const { return std::ssize(receiver.arrivals); }

 private:
  int last = 0;
};

/// All of a process, alone or with a session and a bus. Its start is run to its end.
template <bool is_member>
class EngineTask {
 public:
  sim::VirtualRuntime& world() { return runtime; }
  void start() {
    const auto started = sim::run(runtime, engine.start({}));
    EXPECT_TRUE(started) << started.error().detail;
    runtime.run_until([this] { return engine.delivery() != nullptr; });
    const boost::json::value document = {{"kind", "webhook"},
                                         {"id", "w"},
                                         {"url", "http://w.test"},
                                         {"secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}};
    auto webhook = engine.kinds().parse(document).value();
    EXPECT_TRUE(sim::run(
        runtime, engine.delivery()->services().put(std::move(webhook), ServiceSource::api)));
  }
  Async<void> stop() {
    return engine.stop({}, [] {});
  }
  void make_busy() {
    if (Stream* const stream = engine.streams().find("events")) {
      gate.spawn(append(stream), "append");
    }
  }
  void fail() {
    for (WatchedConnection* const each : {writer.get(), reader.get()}) {
      each->refusal = Code::storage_failed;
      each->refuses = [](const Statement&, std::span<const SqlValue>) { return true; };
    }
  }
  [[nodiscard]] std::int64_t effects() const {
    return writer->commits + std::ssize(receiver.arrivals);
  }

 private:
  static Async<void> append(Stream* stream) {
    auto facts = parse_facts(R"({"type":"t"})", BodyKind::json, stream->format(), {});
    static_cast<void>(co_await stream->append(std::move(facts).value(), std::nullopt));
  }
  static EngineSettings settings() {
    EngineSettings settings;
    settings.streams.declared["events"] = {};
    if (is_member) settings.fleet = FleetSettings{.instance_name = "a"};
    return settings;
  }

  TemporaryDatabase database;
  sim::VirtualRuntime runtime;
  sim::InlineLane lane{runtime};
  sim::Air air{sim::Random(1), {}};
  sim::SimulatedBus bus{runtime, air};
  sim::ScriptedReceiver receiver{runtime};
  std::unique_ptr<WatchedConnection> writer =
      std::make_unique<WatchedConnection>(database.connect_writer());
  std::unique_ptr<WatchedConnection> reader =
      std::make_unique<WatchedConnection>(database.connect_reader());
  Gate gate{runtime};
  Engine engine{EnginePorts{runtime, Reader{lane, *writer}, Reader{lane, *reader}, receiver,
                            is_member ? &bus : nullptr, &lane},
                settings()};
};

using EngineTasks = testing::Types<CommitterTask, SorterTask, CompactionTask, RetentionTask,
                                   OutboxTask, DeliveryTask, EngineTask<false>, EngineTask<true>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Tasks, StartStop, EngineTasks);

/// An engine is stopped only after its start has ended.
using NeverStarted = testing::Types<CommitterTask, SorterTask, CompactionTask, RetentionTask,
                                    OutboxTask, DeliveryTask>;
INSTANTIATE_TYPED_TEST_SUITE_P(Tasks, StopBeforeStart, NeverStarted);

}  // namespace
}  // namespace postrider
