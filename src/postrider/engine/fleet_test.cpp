#include <set>

#include <gtest/gtest.h>

#include "postrider/drivers/testing/temporary_database.hpp"
#include "postrider/engine/engine.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/store/stream_ids.hpp"
#include "postrider/stream/fact_parser.hpp"
#include "sim/scripted_receiver.hpp"
#include "sim/world/air.hpp"
#include "sim/world/held_lane.hpp"
#include "sim/world/run.hpp"

namespace postrider {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

EngineSettings settings_of(const std::string& name, Duration session_interval) {
  EngineSettings settings;
  settings.streams.declared["events"] = {};
  settings.streams.auto_create = name == "creator";
  settings.fleet = FleetSettings{.instance_name = name, .session_interval = session_interval};
  settings.streams.each.tail_cache_bytes = 1U << 20;
  return settings;
}

/// One process of the fleet. Its destructor is `kill -9`.
class FleetProcess {
 public:
  FleetProcess(sim::Timeline& timeline, const TemporaryDatabase& database, sim::Air* air,
               const std::string& name, std::uint64_t seed, Duration session_interval)
      : runtime(timeline, sim::Random(seed)),
        writer(database.connect_writer(name)),
        reader(database.connect_reader()),
        bus(air == nullptr ? nullptr : std::make_unique<sim::SimulatedBus>(runtime, *air)),
        receiver(runtime),
        engine(EnginePorts{runtime, Reader{lane, *writer}, Reader{background, *reader}, receiver,
                           bus.get(), &lane},
               settings_of(name, session_interval)) {}
  FleetProcess(const FleetProcess&) = delete;
  FleetProcess& operator=(const FleetProcess&) = delete;
  ~FleetProcess() { runtime.end(); }

  Stream& stream() { return *engine.streams().all().front(); }

  sim::VirtualRuntime runtime;
  sim::InlineLane lane{runtime};
  sim::HeldLane background{runtime};
  std::unique_ptr<SqlConnection> writer;
  std::unique_ptr<SqlConnection> reader;
  std::unique_ptr<sim::SimulatedBus> bus;
  sim::ScriptedReceiver receiver;
  Engine engine;
};

class FleetTest : public testing::Test {
 protected:
  FleetProcess& start(const std::string& name, sim::Air* over = nullptr) {
    auto& slot = processes[name];
    slot = std::make_unique<FleetProcess>(timeline, database, over, name, ++seed, session_interval);
    ServiceRegistry::Receivers declared;
    for (const auto& document : file) {
      declared.push_back(slot->engine.kinds().parse(document).value());
    }
    const auto started = sim::run(slot->runtime, slot->engine.start(std::move(declared)));
    EXPECT_TRUE(started) << started.error().detail;
    return *slot;
  }
  void stop(const std::string& name) {
    sim::run(processes.at(name)->runtime, processes.at(name)->engine.stop({}, [] {}));
    processes.erase(name);
  }
  void kill(const std::string& name) { processes.erase(name); }

  static Async<void> append(FleetProcess* process, int number, std::set<int>* answered) {
    Stream& stream = process->stream();
    auto facts = parse_facts(
        fmt::format(R"({{"type":"t","sender":"@a:x","room_id":"!r:x","n":{}}})", number),
        BodyKind::json, stream.format(), {});
    const auto receipt = co_await stream.append(std::move(facts).value(), std::nullopt);
    if (receipt) answered->insert(number);
  }

  std::set<std::string> live_sessions() {
    const auto connection = database.connect_reader();
    std::set<std::string> names;
    const StoredSessions stored = read_sessions(*connection).value();
    for (const SessionRow& row : stored.sessions) {
      if (row.is_live()) names.insert(row.instance_name);
    }
    return names;
  }

  /// Gives the last ID.
  StreamId append_many(FleetProcess& process, int count, Stream* stream = nullptr) {
    if (stream == nullptr) stream = &process.stream();
    std::string body;
    for (int i = 0; i < count; ++i) {
      body += R"({"type":"t","sender":"@a:x","room_id":"!r:x"})"
              "\n";
    }
    auto facts = parse_facts(std::move(body), BodyKind::ndjson, stream->format(), {});
    const auto receipt =
        sim::run(process.runtime, stream->append(std::move(facts).value(), std::nullopt));
    EXPECT_TRUE(receipt) << receipt.error().detail;
    return receipt->last;
  }

  /// Follows a stream as a reader does, and checks that IDs rise.
  struct Follower {
    StreamId at;
    std::vector<std::string> payloads;
  };
  static Async<void> follow(FleetProcess* process, Follower* follower) {
    const auto run = co_await process->stream().read(follower->at, 50, Stream::WithAttributes::no);
    if (!run) co_return;
    for (const Chunk& chunk : run->chunks) {
      EXPECT_GT(chunk.first, follower->at);
      follower->at = chunk.last();
      for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
        follower->payloads.emplace_back(chunk.payload(id));
      }
    }
    follower->at = run->through;
  }

  /// Everybody appends and follows for a while.
  void work(seconds time) {
    const MonoTime until = world.now() + time;
    while (world.now() < until) {
      for (const auto& [name, process] : processes) {
        if (world.random(3) == 0) {
          gate.spawn(append(process.get(), ++number, &answered), "append");
        }
        if (world.random(2) == 0) sim::run(world, follow(process.get(), &followers[name]));
      }
      world.run_for(milliseconds{static_cast<std::int64_t>(world.random(20))});
    }
    world.run_for(seconds{1});
  }

  /// All processes agree, on everything that was answered.
  void check() {
    const auto agree = [this] {
      std::set<StreamId> positions;
      for (const auto& [name, process] : processes) {
        positions.insert(process->stream().linear_position());
      }
      return positions.size() == 1;
    };
    EXPECT_TRUE(world.run_until(agree));
    for (int i = 0; i < 400; ++i) {
      for (const auto& [name, process] : processes) {
        sim::run(world, follow(process.get(), &followers[name]));
      }
    }
    const auto& first = followers[processes.begin()->first].payloads;
    EXPECT_GE(first.size(), answered.size());
    EXPECT_EQ(std::set(first.begin(), first.end()).size(), first.size()) << "twice";
    for (const int each : answered) {
      const std::string end = fmt::format("\"n\":{}}}", each);
      const auto is_it = [&end](const std::string& payload) { return payload.ends_with(end); };
      EXPECT_TRUE(std::ranges::any_of(first, is_it)) << each;
    }
    for (const auto& [name, process] : processes) {
      EXPECT_EQ(followers[name].payloads, first) << name;
    }
  }

  sim::Timeline timeline;
  sim::VirtualRuntime world{timeline, sim::Random(7)};
  TemporaryDatabase database;
  Gate gate{world};
  std::map<std::string, std::unique_ptr<FleetProcess>> processes;
  std::map<std::string, Follower> followers;
  std::set<int> answered;
  std::uint64_t seed = 0;
  Duration session_interval = seconds{5};  ///< of what is started next
  std::vector<boost::json::value> file;    ///< the services that it declares
  int number = 0;
};

TEST_F(FleetTest, reads_what_others_do_from_the_database_alone) {
  for (const char* name : {"a", "b", "c"}) start(name);
  work(seconds{20});
  EXPECT_GT(answered.size(), 500U);
  check();
}

TEST_F(FleetTest, every_reader_gets_every_fact_in_order_over_a_bus_that_loses_and_reorders) {
  sim::Air air{sim::Random(1), {.lost = 200, .longest_delay = milliseconds{30}}};
  for (const char* name : {"a", "b", "c"}) start(name, &air);
  work(seconds{30});
  EXPECT_GT(answered.size(), 500U);
  check();
  for (const auto& [name, process] : processes) EXPECT_EQ(process->bus->times_caught_up, 1);
  processes.clear();
}

TEST_F(FleetTest, a_process_that_joins_or_comes_again_is_followed) {
  sim::Air air{sim::Random(2), {.lost = 100, .longest_delay = milliseconds{10}}};
  start("a", &air);
  start("b", &air);
  work(seconds{3});
  start("c", &air);
  work(seconds{3});
  stop("b");
  work(seconds{3});
  start("b", &air);
  work(seconds{3});
  check();
  processes.clear();
}

TEST_F(FleetTest, all_processes_have_the_session_interval_of_the_first_one) {
  session_interval = seconds{20};
  start("a");
  session_interval = seconds{1};
  start("b");
  kill("a");
  world.run_for(seconds{15});
  EXPECT_EQ(live_sessions().size(), 2U) << "not ended after the interval that b was given";
  world.run_for(seconds{10});
  EXPECT_EQ(live_sessions().size(), 1U);
  stop("b");
  start("b");
  EXPECT_EQ(read_session_interval(*database.connect_reader()).value(), seconds{1});
}

TEST_F(FleetTest, nobody_waits_for_a_process_that_was_killed_longer_than_its_session) {
  sim::Air air{sim::Random(3), {}};
  for (const char* name : {"a", "b", "c"}) start(name, &air);
  work(seconds{2});
  kill("a");
  const MonoTime killed = world.now();
  const StreamId before = processes.at("b")->stream().linear_position();
  gate.spawn(append(processes.at("b").get(), ++number, &answered), "append");
  gate.spawn(append(processes.at("c").get(), ++number, &answered), "append");
  const auto goes_on = [&] {
    return processes.at("c")->stream().linear_position() > before.plus(1) &&
           processes.at("b")->engine.delivering_instance() != "a";
  };
  EXPECT_TRUE(world.run_until(goes_on));
  EXPECT_LE(world.now() - killed, seconds{8});
  work(seconds{2});
  check();
  processes.clear();
}

TEST_F(FleetTest, one_process_delivers_and_another_takes_over) {
  for (const char* name : {"a", "b"}) start(name);
  EXPECT_TRUE(processes.at("a")->engine.delivery());
  EXPECT_FALSE(processes.at("b")->engine.delivery());
  EXPECT_EQ(processes.at("b")->engine.delivering_instance(), "a");
  stop("a");
  EXPECT_TRUE(world.run_until([this] { return processes.at("b")->engine.delivery() != nullptr; },
                              seconds{1}));
  start("a");
  world.run_for(seconds{10});
  EXPECT_FALSE(processes.at("a")->engine.delivery());
}

TEST_F(FleetTest, a_session_lasts_while_the_background_is_busy) {
  FleetProcess& a = start("a");
  start("b");
  a.background.hold();
  world.run_for(minutes{1});
  EXPECT_GT(a.background.waiting(), 0U);
  EXPECT_TRUE(a.engine.delivery());
  EXPECT_FALSE(processes.at("b")->engine.delivery());
  gate.spawn(append(&a, 1, &answered), "append");
  world.run_for(seconds{1});
  EXPECT_EQ(answered, std::set<int>{1});
  a.background.release();
  world.run_for(seconds{1});
  check();
}

TEST_F(FleetTest, a_session_lasts_through_a_takeover_that_takes_long) {
  start("a");
  FleetProcess& b = start("b");
  kill("a");
  ASSERT_TRUE(world.run_until([&] { return b.engine.delivering_instance() == "b"; }, seconds{10}));
  b.background.hold();
  world.run_for(minutes{1});
  EXPECT_EQ(live_sessions(), std::set<std::string>{"b"});
  EXPECT_FALSE(b.engine.delivery() && b.engine.delivery()->has_started());
  start("c");
  world.run_for(seconds{20});
  EXPECT_EQ(live_sessions(), (std::set<std::string>{"b", "c"}));
  EXPECT_FALSE(processes.at("c")->engine.delivery());
  b.background.release();
  EXPECT_TRUE(world.run_until(
      [&] { return b.engine.delivery() && b.engine.delivery()->has_started(); }, seconds{1}));
}

TEST_F(FleetTest, an_instance_that_is_gone_for_an_hour_is_forgotten) {
  const auto names = [this] {
    std::set<std::string> names;
    const StoredSessions stored = read_sessions(*processes.at("a")->reader).value();
    std::set<InstanceKey> instances;
    for (const SessionRow& row : stored.sessions) {
      names.insert(row.instance_name);
      instances.insert(row.instance);
    }
    for (const WriterPositionRow& row : stored.positions) {
      EXPECT_TRUE(instances.contains(row.instance)) << "a position of nobody";
    }
    return names;
  };
  start("a");
  for (const char* name : {"b", "c"}) {
    append_many(start(name), 2500);
    stop(name);
  }
  world.run_for(gone_after - seconds{10});
  EXPECT_EQ(names(), (std::set<std::string>{"a", "b", "c"}));
  start("c");
  world.run_for(seconds{20});
  EXPECT_EQ(names(), (std::set<std::string>{"a", "c"}));
  const StreamId last = append_many(start("b"), 10);
  const auto all_have_it = [&] {
    return std::ranges::all_of(processes, [last](const auto& each) {
      return each.second->stream().linear_position() >= last;
    });
  };
  EXPECT_TRUE(world.run_until(all_have_it, seconds{1}));
}

TEST_F(FleetTest, who_delivers_no_more_counts_no_services) {
  FleetProcess& a = start("a");
  start("b");
  const boost::json::value document = {{"kind", "webhook"},
                                       {"id", "w"},
                                       {"url", "http://w.test"},
                                       {"secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}};
  auto parsed = a.engine.kinds().parse(document);
  ASSERT_TRUE(sim::run(a.runtime, a.engine.delivery()->services().put(std::move(parsed).value(),
                                                                      ServiceSource::api)));
  const std::string untested = "postrider_services{state=\"untested\"} ";
  EXPECT_NE(a.engine.metrics_text().find(untested + "1"), std::string::npos);
  const SessionRow row = read_sessions(*a.reader).value().sessions.front();
  ASSERT_TRUE(end_session(*a.writer, row.instance, row.session, wall_time(1)));
  ASSERT_TRUE(world.run_until([&] { return a.engine.delivery() == nullptr; }, seconds{5}));
  EXPECT_NE(a.engine.metrics_text().find(untested + "0"), std::string::npos)
      << a.engine.metrics_text();
}

TEST_F(FleetTest, a_session_that_others_have_ended_commits_nothing_and_begins_anew) {
  FleetProcess& a = start("a");
  start("b");
  const StoredSessions before = read_sessions(*a.reader).value();
  const SessionRow row = before.sessions.front();
  ASSERT_TRUE(end_session(*a.writer, row.instance, row.session, wall_time(1)));
  gate.spawn(append(&a, 1, &answered), "append");
  world.run_for(milliseconds{50});
  EXPECT_TRUE(answered.empty());
  EXPECT_TRUE(world.run_until([&] { return a.engine.delivery() == nullptr; }, seconds{1}));
  world.run_for(seconds{1});
  gate.spawn(append(&a, 2, &answered), "append");
  world.run_for(seconds{1});
  EXPECT_EQ(answered, std::set<int>{2});
  EXPECT_EQ(processes.at("b")->engine.delivering_instance(), "b");
  check();
}

/// Processes whose files declare different services.
class RollingDeployment : public FleetTest {
 protected:
  static boost::json::value service(const std::string& id, int version = 1) {
    return {{"kind", "webhook"},
            {"id", id},
            {"url", fmt::format("http://{}.test/{}", id, version)},
            {"secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}};
  }
  void start_with(const std::string& name, std::vector<boost::json::value> services) {
    file = std::move(services);
    start(name);
  }
  std::shared_ptr<DeliveryWork> delivery_of(const std::string& name) {
    return processes.at(name)->engine.delivery();
  }
  /// The lease goes to another process, which `to` is.
  void hand_over(const std::string& from, const std::string& to) {
    const StoredSessions stored = read_sessions(*processes.at(to)->reader).value();
    for (const SessionRow& row : stored.sessions) {
      if (row.instance_name != from) continue;
      const auto connection = database.connect_writer("operator");
      ASSERT_TRUE(end_session(*connection, row.instance, row.session, wall_time(1)));
    }
    ASSERT_TRUE(world.run_until([&] { return delivery_of(to) != nullptr; }, seconds{10}));
    world.run_for(seconds{1});
  }
  std::string status(const std::string& id) {
    for (const auto& [name, process] : processes) {
      const auto work = process->engine.delivery();
      if (!work) continue;
      const auto found = work->services().find(id);
      return found ? std::string(name_of(found->delivery.status)) : "none";
    }
    return "nobody delivers";
  }
  std::string url(const std::string& id) {
    for (const auto& [name, process] : processes) {
      const auto work = process->engine.delivery();
      if (work) return *work->services().find(id)->receiver->url();
    }
    return "nobody delivers";
  }
};

TEST_F(RollingDeployment, a_service_that_is_added_is_not_paused_by_a_process_with_the_older_file) {
  start_with("b", {service("w"), service("x")});
  start_with("a", {service("w")});
  hand_over("b", "a");
  EXPECT_EQ(status("x"), "untested");
  EXPECT_EQ(status("w"), "untested");
  kill("b");
  world.run_for(declares_after_end);
  EXPECT_EQ(status("x"), "untested") << "it may come again";
  EXPECT_TRUE(world.run_until([&] { return status("x") == "paused"; }, seconds{10}));
  EXPECT_EQ(status("w"), "untested");
  start_with("b", {service("w"), service("x")});
  EXPECT_TRUE(world.run_until([&] { return status("x") == "up"; }, seconds{1}));
  ASSERT_TRUE(delivery_of("a"));
}

TEST_F(RollingDeployment, a_service_that_is_changed_stays_so_when_the_lease_goes_back) {
  start_with("a", {service("x", 1)});
  start_with("b", {service("x", 2)});
  EXPECT_EQ(url("x"), "http://x.test/1");
  for (int i = 0; i < 3; ++i) {
    hand_over("a", "b");
    EXPECT_EQ(url("x"), "http://x.test/2");
    hand_over("b", "a");
    EXPECT_EQ(url("x"), "http://x.test/2");
  }
  kill("b");
  EXPECT_TRUE(world.run_until([&] { return url("x") == "http://x.test/1"; }, minutes{2}));
}

TEST_F(RollingDeployment, a_service_that_is_removed_is_paused_when_no_process_has_it) {
  start_with("a", {service("w"), service("x")});
  start_with("b", {service("w")});
  hand_over("a", "b");
  EXPECT_EQ(status("x"), "untested");
  stop("a");
  start_with("a", {service("w")});
  EXPECT_TRUE(world.run_until([&] { return status("x") == "paused"; }, seconds{1}));
  EXPECT_EQ(status("w"), "untested");
}

TEST_F(RollingDeployment, a_crash_of_a_process_with_the_older_file_changes_nothing) {
  start_with("a", {service("x", 1)});
  start_with("b", {service("x", 2)});
  hand_over("a", "b");
  kill("a");
  start_with("a", {service("x", 1)});
  hand_over("b", "a");
  EXPECT_EQ(url("x"), "http://x.test/2");
}

TEST_F(RollingDeployment, that_is_rolled_back_ends_with_the_older_file) {
  start_with("b", {service("x", 2), service("y")});
  start_with("c", {service("x", 2), service("y")});
  stop("b");
  start_with("b", {service("x", 1)});
  hand_over("c", "b");
  EXPECT_EQ(url("x"), "http://x.test/1") << "its configuration came last";
  EXPECT_EQ(status("y"), "untested");
  hand_over("b", "c");
  EXPECT_EQ(url("x"), "http://x.test/1");
  stop("c");
  EXPECT_TRUE(world.run_until([&] { return status("y") == "paused"; }, minutes{2}));
  EXPECT_EQ(url("x"), "http://x.test/1");
}

/// A database whose sequence was set back behind what is stored, as a failover may leave it.
class SequenceBehind : public FleetTest {
 protected:
  SequenceBehind() {
    FleetProcess& a = start("a");
    last = append_many(a, 2500);
    EXPECT_GT(last.value, 2 * ids_per_draw);
    stop("a");
    EXPECT_TRUE(other->raise_sequence(sequence, ids_per_draw));
  }

  void expect_ids_above_all_that_were() {
    FleetProcess& a = start("a");
    EXPECT_GE(a.stream().linear_position(), last);
    EXPECT_EQ(append_many(a, 1), last.plus(ids_per_draw - last.value % ids_per_draw + 1));
    EXPECT_GT(other->last_drawn(sequence).value(), last.value);
  }

  static constexpr const char* sequence = "stream_ids_1";
  std::unique_ptr<SqlConnection> other = database.connect_writer("other");
  StreamId last;
};

TEST_F(SequenceBehind, its_facts_is_healed_at_the_start) {
  expect_ids_above_all_that_were();
}

TEST_F(SequenceBehind, facts_that_are_not_kept_any_more_is_healed_at_the_start) {
  const StreamKey stream{1};
  ASSERT_TRUE(drop_blocks(*other, stream, last.plus(1), WallTime::max(), 1000));
  ASSERT_TRUE(set_sorted_through(*other, stream, last, 0));
  ASSERT_TRUE(set_dropped_through(*other, stream, last));
  ASSERT_TRUE(other->execute_once("DELETE FROM writer_positions"));
  expect_ids_above_all_that_were();
}

TEST_F(FleetTest, processes_that_come_again_under_other_names_go_on) {
  for (const char* name : {"a", "b"}) start(name);
  work(seconds{3});
  kill("a");
  start("c");
  work(seconds{8});
  check();
  processes.clear();
  for (const char* name : {"d", "e"}) start(name);
  work(seconds{8});
  check();
  EXPECT_NE(processes.at("d")->engine.delivery() == nullptr,
            processes.at("e")->engine.delivery() == nullptr);
}

TEST_F(FleetTest, nobody_waits_for_a_process_that_writes_nothing) {
  sim::Air air{sim::Random(4), {}};
  for (const bool with_bus : {true, false}) {
    for (const char* name : {"a", "b", "c"}) start(name, with_bus ? &air : nullptr);
    world.run_for(seconds{1});
    const StreamId last = append_many(*processes.at("a"), 3000);
    const auto all_in_order = [&] {
      return std::ranges::all_of(processes, [&](const auto& each) {
        return each.second->stream().linear_position() >= last;
      });
    };
    EXPECT_TRUE(world.run_until(all_in_order, with_bus ? milliseconds{50} : milliseconds{500}));
    for (const char* name : {"a", "b", "c"}) stop(name);
  }
}

TEST_F(FleetTest, who_ends_announces_it_over_the_bus) {
  sim::Air air{sim::Random(5), {}};
  for (const char* name : {"a", "b"}) start(name, &air);
  world.run_for(seconds{2});
  ASSERT_TRUE(processes.at("a")->engine.delivery());
  stop("a");
  EXPECT_TRUE(world.run_until([this] { return processes.at("b")->engine.delivery() != nullptr; },
                              milliseconds{50}));
  processes.clear();
}

TEST_F(FleetTest, a_stream_that_another_process_has_created_is_read_and_written_to) {
  sim::Air air{sim::Random(6), {}};
  for (const bool with_bus : {true, false}) {
    const std::string name = with_bus ? "over_the_bus" : "from_the_database";
    for (const char* process : {"creator", "b"}) start(process, with_bus ? &air : nullptr);
    FleetProcess& creator = *processes.at("creator");
    FleetProcess& b = *processes.at("b");
    EXPECT_EQ(sim::run(world, b.engine.streams().find_or_create(name)).error().code,
              Code::not_found);
    Stream& of_creator = *sim::run(world, creator.engine.streams().find_or_create(name)).value();
    const StreamId first = append_many(creator, 10, &of_creator);
    world.run_for(seconds{1});
    const auto found = sim::run(world, b.engine.streams().find_or_create(name));
    ASSERT_TRUE(found);
    EXPECT_GE((*found)->linear_position(), first);
    const StreamId second = append_many(b, 10, *found);
    EXPECT_TRUE(world.run_until([&] { return of_creator.linear_position() >= second; }));
    for (const char* process : {"creator", "b"}) stop(process);
  }
}

}  // namespace
}  // namespace postrider
