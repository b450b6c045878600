#include "postrider/replication/replicator.hpp"

#include <algorithm>
#include <deque>
#include <random>

#include "postrider/stream/testing/shared_stream_world.hpp"

namespace postrider {
namespace {

using std::chrono::milliseconds;
using Lines = std::vector<std::string>;
using Ids = std::vector<std::int64_t>;

/// Keeps what is published. What is received comes from the test.
class ScriptedBus final : public Bus {
 public:
  void start(Listener& listener, std::string name) override {
    listener_ = &listener;
    fleet = std::move(name);
  }
  void stop() override { stopped = true; }
  void publish(std::string line) override { lines.push_back(std::move(line)); }
  void caught_up() override { ++times_caught_up; }

  std::string fleet;
  Lines lines;
  int times_caught_up = 0;
  bool stopped = false;

 private:
  Listener* listener_ = nullptr;
};

/// Does nothing before it is told to.
class HeldLane final : public Lane {
 public:
  void post(std::move_only_function<void()> work, std::move_only_function<void()> done) override {
    jobs_.emplace_back(std::move(work), std::move(done));
  }
  void run() {
    while (!jobs_.empty()) {
      auto [work, done] = std::move(jobs_.front());
      jobs_.pop_front();
      work();
      done();
    }
  }

 private:
  using Job = std::pair<std::move_only_function<void()>, std::move_only_function<void()>>;
  std::deque<Job> jobs_;
};

class ReplicatorTest : public SharedStreamWorld {
 protected:
  ReplicatorTest() {
    know_all_writers();
    replicator.start("fleet");
    replicator.attach(*stream);
    set_instances();
    replicator.connected();
    bus.lines.clear();
    polls = 0;
  }

  void set_instances() {
    const auto row = [this](InstanceKey instance, const std::string& name) {
      return SessionRow{instance, name, session.key(), 0, {}};
    };
    replicator.set_instances(
        {row(session.instance(), "test"), row(second, "second"), row(third, "third")});
  }

  /// The lines in which a writer publishes a commit.
  Lines rows_of(const std::string& instance, StreamId previous, const std::vector<Block>& blocks,
                const std::string& name = "events") const {
    Lines lines;
    const auto count = std::ssize(blocks);
    for (std::int64_t i = 0; i < count; ++i) {
      const BlockRow row{.previous = previous,
                         .newest_session = session.key(),
                         .index = i,
                         .count = count,
                         .block = blocks[static_cast<std::size_t>(i)]};
      RdataCommand command{name, instance, std::nullopt, format_block_row(row)};
      if (i + 1 == count) command.position = blocks.back().last;
      lines.push_back(format_command(command));
    }
    return lines;
  }
  void receive(const Lines& lines) {
    for (const std::string& line : lines) replicator.received(line);
    lane_of_replicator.run();
    runtime.run_for(milliseconds{0});
  }
  void receive(const std::string& line) { receive(Lines{line}); }
  void third_stands_at(StreamId position) {
    receive(fmt::format("POSITION events third 0 {} {}", position, session.key()));
  }

  /// All facts in order; counts the statements that it took.
  Ids read_all() {
    reader->statements = 0;
    Ids ids;
    StreamId at{0};
    while (at < stream->linear_position()) {
      const FactRun facts = run(stream->read(at, 100, Stream::WithAttributes::no)).value();
      for (const Chunk& chunk : facts.chunks) {
        for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
          EXPECT_TRUE(chunk.payload(id).ends_with(fmt::format("\"n\":{}}}", id))) << id.value;
        }
      }
      for (const std::int64_t id : ids_of(facts.chunks)) ids.push_back(id);
      at = facts.through;
    }
    return ids;
  }
  [[nodiscard]] bool was_read_from_memory() const { return reader->statements == 0; }

  ScriptedBus bus;
  HeldLane lane_of_replicator;
  int polls = 0;
  std::vector<std::string> retried;
  Replicator replicator{
      runtime,
      lane_of_replicator,
      bus,
      session,
      *streams,
      {.poll_soon = [this] { ++polls; },
       .needs_attributes = [] { return false; },
       .retry_service = [this](std::string_view service) { retried.emplace_back(service); }}};
};

TEST_F(ReplicatorTest, who_connects_publishes_its_name_and_position_and_asks_for_those_of_others) {
  replicator.connected();
  EXPECT_EQ(bus.lines, (Lines{"NAME test", "REPLICATE",
                              fmt::format("POSITION events test 0 0 {}", session.key().value)}));
  EXPECT_EQ(polls, 1);
  EXPECT_EQ(bus.fleet, "fleet");
}

TEST_F(ReplicatorTest, who_is_asked_publishes_its_position) {
  EXPECT_TRUE(run(stream->append(facts(*stream, 3), std::nullopt)));
  bus.lines.clear();
  receive("REPLICATE");
  EXPECT_EQ(bus.lines, Lines{fmt::format("POSITION events test 3 3 {}", session.key().value)});
}

TEST_F(ReplicatorTest, has_caught_up_when_the_database_was_read_after_the_connection) {
  EXPECT_EQ(bus.times_caught_up, 0);
  set_instances();
  EXPECT_EQ(bus.times_caught_up, 1);
  set_instances();
  EXPECT_EQ(bus.times_caught_up, 1);
  replicator.disconnected();
  set_instances();
  replicator.connected();
  EXPECT_EQ(bus.times_caught_up, 1);
  set_instances();
  EXPECT_EQ(bus.times_caught_up, 2);
}

TEST_F(ReplicatorTest, facts_that_are_published_are_in_memory) {
  receive(rows_of("second", StreamId{0}, commit_of(second, {{StreamId{1}, StreamId{3}}})));
  EXPECT_EQ(stream->positions().of(second), StreamId{3});
  third_stands_at(StreamId{3});
  EXPECT_EQ(read_all(), (Ids{1, 2, 3}));
  EXPECT_TRUE(was_read_from_memory());
}

TEST_F(ReplicatorTest, its_own_facts_are_published_so_that_others_can_read_them) {
  EXPECT_TRUE(run(stream->append(facts(*stream, 2), std::nullopt)));
  ASSERT_EQ(bus.lines.size(), 1U);
  const auto command = std::get<RdataCommand>(parse_command(bus.lines.front()).value());
  EXPECT_EQ(command.instance, "test");
  EXPECT_EQ(command.position, StreamId{2});
  const BlockRow row = parse_block_row(command.row).value();
  EXPECT_EQ(row.previous, StreamId{0});
  EXPECT_EQ(ids_of(unpack_block(row.block).value()), (Ids{1, 2}));
}

TEST_F(ReplicatorTest, nothing_is_published_without_a_connection) {
  replicator.disconnected();
  bus.lines.clear();
  EXPECT_TRUE(run(stream->append(facts(*stream, 2), std::nullopt)));
  runtime.run_for(milliseconds{10});
  EXPECT_TRUE(bus.lines.empty());
}

TEST_F(ReplicatorTest, its_own_lines_change_nothing_when_they_come_back) {
  EXPECT_TRUE(run(stream->append(facts(*stream, 2), std::nullopt)));
  const Lines echo = bus.lines;
  const PositionVector before = stream->positions();
  receive(echo);
  receive(fmt::format("POSITION events test 0 900 {}", session.key()));
  receive("CLEAR_SESSION test");
  EXPECT_EQ(stream->positions(), before);
  EXPECT_EQ(polls, 0);
}

TEST_F(ReplicatorTest, the_rows_of_a_commit_are_applied_together) {
  const auto blocks = commit_of(
      second, {{StreamId{1}, StreamId{2}}, {StreamId{5}, StreamId{6}}, {StreamId{9}, StreamId{9}}});
  const Lines lines = rows_of("second", StreamId{0}, blocks);
  third_stands_at(StreamId{9});
  for (std::size_t i = 0; i < 2; ++i) {
    receive(lines[i]);
    EXPECT_EQ(stream->positions().of(second), StreamId{0});
    EXPECT_EQ(stream->linear_position(), StreamId{0});
  }
  receive(lines[2]);
  EXPECT_EQ(stream->linear_position(), StreamId{9});
  EXPECT_EQ(read_all(), (Ids{1, 2, 5, 6, 9}));
  EXPECT_TRUE(was_read_from_memory());
}

TEST_F(ReplicatorTest, the_rows_of_two_writers_may_come_between_each_other) {
  const Lines of_second =
      rows_of("second", StreamId{0},
              commit_of(second, {{StreamId{1}, StreamId{2}}, {StreamId{5}, StreamId{6}}}));
  const Lines of_third =
      rows_of("third", StreamId{0},
              commit_of(third, {{StreamId{3}, StreamId{4}}, {StreamId{7}, StreamId{8}}}));
  receive({of_second[0], of_third[0], of_third[1], of_second[1]});
  EXPECT_EQ(stream->linear_position(), StreamId{8});
  EXPECT_EQ(read_all(), (Ids{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_TRUE(was_read_from_memory());
}

TEST_F(ReplicatorTest, the_rows_of_two_streams_may_come_between_each_other) {
  const StreamRow row = put_stream(*writer, "more", "plain", runtime.wall_now()).value();
  Stream& more = streams->add(std::make_unique<Stream>(
      runtime, *committer, Reader{lane, *reader}, StreamDefinition{row, format, {}},
      StreamMetrics{facts_per_commit}, IdSource{StreamId{0}, &session}));
  more.apply_writer_list({session.key(), {{second, StreamId{0}, true}}});
  const auto blocks = commit_of(second, {{StreamId{1}, StreamId{2}}, {StreamId{5}, StreamId{6}}});
  const Lines one = rows_of("second", StreamId{0}, blocks);
  const Lines other = rows_of("second", StreamId{0}, blocks, "more");
  receive({one[0], other[0], other[1], one[1]});
  EXPECT_EQ(more.linear_position(), StreamId{6});
  third_stands_at(StreamId{6});
  EXPECT_EQ(stream->linear_position(), StreamId{6});
  EXPECT_EQ(read_all(), (Ids{1, 2, 5, 6}));
  EXPECT_TRUE(was_read_from_memory());
}

/// A commit of three rows, and one of one row after it.
class DamagedUpdate : public ReplicatorTest {
 protected:
  void expect_all_facts() {
    third_stands_at(StreamId{12});
    EXPECT_EQ(stream->linear_position(), StreamId{12});
    EXPECT_EQ(read_all(), (Ids{1, 2, 5, 6, 9, 11, 12}));
  }

  Lines first = rows_of("second", StreamId{0},
                        commit_of(second, {{StreamId{1}, StreamId{2}},
                                           {StreamId{5}, StreamId{6}},
                                           {StreamId{9}, StreamId{9}}}));
  Lines next = rows_of("second", StreamId{9}, commit_of(second, {{StreamId{11}, StreamId{12}}}));
};

TEST_F(DamagedUpdate, is_read_from_the_database_whatever_of_it_arrives) {
  receive({first[1], first[2], next[0]});
  expect_all_facts();
  EXPECT_FALSE(was_read_from_memory());
}

TEST_F(DamagedUpdate, without_its_middle) {
  receive({first[0], first[2], next[0]});
  expect_all_facts();
}

TEST_F(DamagedUpdate, without_its_end) {
  receive({first[0], first[1], next[0]});
  expect_all_facts();
}

TEST_F(DamagedUpdate, with_two_rows_exchanged) {
  receive({first[1], first[0], first[2], next[0]});
  expect_all_facts();
}

TEST_F(DamagedUpdate, in_another_order_than_its_commits) {
  receive({next[0], first[0], first[1], first[2]});
  expect_all_facts();
}

TEST_F(DamagedUpdate, twice) {
  receive({first[0], first[1], first[2], first[0], first[1], first[2], next[0], next[0]});
  expect_all_facts();
}

TEST_F(DamagedUpdate, with_a_row_that_cannot_be_read) {
  const Lines damaged = {first[0], "RDATA events second batch [1,2", first[1], first[2], next[0]};
  receive(damaged);
  expect_all_facts();
}

TEST_F(DamagedUpdate, that_is_nothing_but_damage) {
  receive({"RDATA events second 9 {}", "RDATA nonsense", "", next[0]});
  expect_all_facts();
}

TEST_F(DamagedUpdate, of_which_a_part_came_before_the_connection_was_lost) {
  receive({first[0], first[1]});
  replicator.disconnected();
  replicator.connected();
  EXPECT_EQ(stream->positions().of(second), StreamId{0});
  receive({first[2], next[0]});
  expect_all_facts();
}

TEST_F(ReplicatorTest, a_position_without_facts_moves_without_the_database) {
  receive(fmt::format("POSITION events second 0 4 {}", session.key()));
  third_stands_at(StreamId{4});
  EXPECT_EQ(stream->linear_position(), StreamId{4});
  EXPECT_EQ(read_all(), Ids{});
  EXPECT_TRUE(was_read_from_memory());
}

TEST_F(ReplicatorTest, a_position_after_lost_updates_sends_readers_to_the_database) {
  commit_of(second, {{StreamId{1}, StreamId{4}}});
  receive(fmt::format("POSITION events second 4 4 {}", session.key()));
  third_stands_at(StreamId{4});
  EXPECT_EQ(read_all(), (Ids{1, 2, 3, 4}));
  EXPECT_FALSE(was_read_from_memory());
}

TEST_F(ReplicatorTest, who_writes_nothing_publishes_soon_that_it_has_come_along) {
  receive(fmt::format("POSITION events second 0 700 {}", session.key()));
  EXPECT_TRUE(bus.lines.empty());
  receive(fmt::format("POSITION events second 700 900 {}", session.key()));
  runtime.run_for(milliseconds{1});
  EXPECT_EQ(bus.lines, Lines{fmt::format("POSITION events test 0 900 {}", session.key().value)});
}

TEST_F(ReplicatorTest, of_a_commit_that_is_too_large_the_position_is_published) {
  std::string noise;
  std::mt19937 random(1);
  std::uniform_int_distribution letter('a', 'z');
  for (int i = 0; i < 700'000; ++i) noise += static_cast<char>(letter(random));
  auto large = parse_facts(
      fmt::format(R"({{"type":"t","sender":"@a:x","room_id":"!r","noise":"{}"}})", noise),
      BodyKind::json, stream->format(), {});
  EXPECT_TRUE(run(stream->append(std::move(large).value(), std::nullopt)));
  EXPECT_EQ(bus.lines, Lines{fmt::format("POSITION events test 1 1 {}", session.key().value)});
}

TEST_F(ReplicatorTest, updates_of_an_unknown_writer_are_left_to_the_database) {
  const auto blocks = commit_of(second, {{StreamId{1}, StreamId{3}}});
  receive(rows_of("stranger", StreamId{0}, blocks));
  EXPECT_EQ(polls, 1);
  receive(fmt::format("POSITION events stranger 0 3 {}", session.key()));
  EXPECT_EQ(polls, 2);
  EXPECT_EQ(stream->positions(), PositionVector(StreamId{0}));
}

TEST_F(ReplicatorTest, updates_of_an_unknown_stream_are_left_to_the_database) {
  const auto blocks = commit_of(second, {{StreamId{1}, StreamId{3}}});
  receive(rows_of("second", StreamId{0}, blocks, "unknown"));
  EXPECT_EQ(polls, 0);
  receive(fmt::format("POSITION unknown second 0 3 {}", session.key()));
  EXPECT_EQ(polls, 1);
  EXPECT_EQ(stream->positions(), PositionVector(StreamId{0}));
}

TEST_F(ReplicatorTest, a_session_that_is_in_no_list_yet_is_looked_up) {
  receive(fmt::format("POSITION events second 0 4 {}", session.key().value + 1));
  EXPECT_EQ(polls, 1);
  EXPECT_EQ(stream->linear_position(), StreamId{0});
}

TEST_F(ReplicatorTest, who_ends_announces_it_and_others_poll) {
  receive("CLEAR_SESSION second");
  EXPECT_EQ(polls, 1);
  replicator.stop();
  EXPECT_EQ(bus.lines, Lines{"CLEAR_SESSION test"});
  EXPECT_TRUE(bus.stopped);
}

TEST_F(ReplicatorTest, a_service_that_is_up_again_is_passed_on) {
  replicator.announce_server_up("irc bridge");
  EXPECT_EQ(bus.lines, Lines{"REMOTE_SERVER_UP irc bridge"});
  receive("REMOTE_SERVER_UP irc bridge");
  EXPECT_EQ(retried, std::vector<std::string>{"irc bridge"});
}

TEST_F(ReplicatorTest, warnings_do_not_come_faster_than_somebody_can_read_them) {
  const auto warnings_of_a_thousand = [this] {
    testing::internal::CaptureStderr();
    for (int i = 0; i < 1000; ++i) replicator.received("NEW word");
    return testing::internal::GetCapturedStderr();
  };
  const std::string first = warnings_of_a_thousand();
  EXPECT_EQ(std::ranges::count(first, '\n'), 1) << first;
  EXPECT_TRUE(first.contains("\"NEW word\" is not a command of the replication bus"));
  EXPECT_EQ(warnings_of_a_thousand(), "");
  runtime.run_for(std::chrono::seconds{10});
  EXPECT_TRUE(warnings_of_a_thousand().contains("; 1999 more warnings before it"));
}

TEST_F(ReplicatorTest, names_pings_and_errors_are_no_updates_of_writers) {
  const PositionVector before = stream->positions();
  receive({"NAME second", "PING 1", "ERROR of somebody"});
  EXPECT_EQ(stream->positions(), before);
  EXPECT_EQ(polls, 0);
  EXPECT_TRUE(bus.lines.empty());
}

/// The limit of what waits to be applied.
class BufferedUpdates : public ReplicatorTest {
 protected:
  void flood(const std::string& place) {
    const std::string mebibyte(1U << 20U, 'x');
    for (int i = 0; i < 64; ++i) {
      replicator.received(fmt::format("RDATA events third {} {}", place, mebibyte));
    }
  }
  /// True when an update of the second writer is applied.
  bool is_there_room() {
    receive(rows_of("second", last, commit_of(second, {{last.plus(1), last.plus(2)}})));
    last = last.plus(2);
    return stream->positions().of(second) == last;
  }

  StreamId last{0};
};

TEST_F(BufferedUpdates, are_not_more_than_a_bound_before_they_are_read) {
  flood("0");
  EXPECT_FALSE(is_there_room());
  EXPECT_TRUE(is_there_room()) << "those were read meanwhile";
}

TEST_F(BufferedUpdates, are_not_more_than_a_bound_before_their_commit_is_whole) {
  flood("batch");
  EXPECT_FALSE(is_there_room());
  EXPECT_FALSE(is_there_room());
  replicator.disconnected();
  replicator.connected();
  EXPECT_TRUE(is_there_room()) << "those were forgotten";
}

TEST_F(BufferedUpdates, that_had_no_room_are_in_the_database) {
  flood("0");
  EXPECT_FALSE(is_there_room());
  EXPECT_TRUE(is_there_room());
  third_stands_at(last);
  EXPECT_EQ(read_all(), (Ids{1, 2, 3, 4}));
}

}  // namespace
}  // namespace postrider
