#include "sim/sweep/sweep_scenarios.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "postrider/store/blocks.hpp"
#include "sim/history/documents.hpp"

namespace postrider::sim {
namespace {

using std::chrono::seconds;

constexpr std::string_view all_types;
constexpr Statement damage_sql{"UPDATE blocks SET data = $2 WHERE last_id = $1"};

std::shared_ptr<const Receiver> webhook(const std::string& id) {
  return receiver_of(id, PlainWebhook{.types = {std::string(all_types)}, .streams = {}}, true);
}

void append(SweepWorld& world) {
  world.boot("one");
  world.append("one", {1});
  world.append_once("one", {2});
  world.append("one", {3, 4});
  world.append_once("one", {5, 6});
  world.restart("one");
  world.append("one", {7});
  world.append_once("one", {8});
  world.finish();
}

/// Interest that rests on who is in a room.
void decide(SweepWorld& world) {
  world.settings.streams.declared["events"].format = "matrix";
  world.boot("one");
  world.put(receiver_of(
      "bridge",
      PlainRegistration{.sender_localpart = "bot", .users = {"@irc_"}, .rooms = {}, .aliases = {}},
      true));
  world.put(webhook("log"));
  const auto message = R"("type":"m","sender":"@a:x","room_id":"!r:x")";
  const auto member = [](std::string_view membership) {
    return fmt::format(
        R"("type":"m.room.member","sender":"@a:x","room_id":"!r:x","state_key":"@irc_b:x",)"
        R"("content":{{"membership":"{}"}})",
        membership);
  };
  world.append("one", {1}, message);
  world.expect_unwanted("bridge", 1);
  world.append("one", {2}, member("join"));
  world.append("one", {3, 4}, message);
  world.restart("one");
  world.append("one", {5}, message);
  world.append("one", {6}, member("leave"));
  world.append("one", {7}, message);
  world.expect_unwanted("bridge", 7);
  world.finish();
}

/// One receiver fails, and finds a transaction too large; the other one is well.
void deliver(SweepWorld& world) {
  world.settings.services.delivery.limits.facts_max = 3;
  world.receivers.answer = [](const std::string& service, int request, std::size_t facts) {
    if (service != "ill") return 200;
    if (request == 2) return 500;
    return request > 2 && request < 7 && facts > 1 ? 413 : 200;
  };
  world.boot("one");
  world.put(webhook("well"));
  world.put(webhook("ill"));
  world.append("one", {1});
  world.append("one", {2, 3, 4, 5});
  world.append("one", {6});
  world.restart("one");
  world.append("one", {7, 8});
  world.finish();
}

void take_over(SweepWorld& world) {
  world.has_bus = true;
  world.boot("a");
  world.put(webhook("hook"));
  world.append("a", {1, 2});
  world.boot("b");
  world.append("b", {3});
  world.append("a", {4});
  world.kill("a");
  world.append("b", {5, 6});
  world.pass(seconds{10});
  world.boot("a");
  world.append("a", {7});
  world.finish();
}

/// What one service still needs is kept, folded into blocks meanwhile, and goes afterwards.
void retention(SweepWorld& world) {
  world.expect_dropped_facts();
  world.settings.streams.declared["events"].retain = seconds{8};
  world.settings.compaction.row_age_max = seconds{2};
  world.boot("one");
  world.put(webhook("quick"));
  world.put(webhook("slow"));
  world.pause("slow");
  for (const std::int64_t number : {1, 2, 3}) world.append("one", {number});
  world.pass(seconds{10});
  world.append("one", {4});
  world.restart("one");
  world.resume("slow");
  world.append("one", {5});
  const auto is_gone = [&world] {
    Engine* const engine = world.delivering();
    if (engine == nullptr) return false;
    const Stream* const stream = engine->streams().find("events");
    return stream->dropped_through() == stream->linear_position();
  };
  world.wait_until(is_gone, "facts that nobody needs are gone");
  world.finish();
}

void drain_outbox(SweepWorld& world) {
  constexpr std::int64_t rows = 5;
  FakeOutbox outbox;
  world.outbox = &outbox;
  world.settings.outbox.poll_interval = seconds{1};
  world.settings.outbox.limits.rows_max = 2;
  const auto add = [&](std::int64_t number) {
    outbox.rows[number] = fmt::format(R"({{"type":"t","n":{}}})", number);
    world.expect(number);
  };
  world.boot("one");
  world.put(webhook("hook"));
  for (std::int64_t number = 1; number <= rows; ++number) add(number);
  outbox.rows[rows + 1] = R"({"type":"t","n":6,"n":)";
  world.pass(seconds{5});
  add(rows + 2);
  world.restart("one");
  add(rows + 3);
  world.finish();
  if (outbox.refused == std::set{rows + 1} && outbox.refusals == 1) return;
  world.broken(Check::durable_append,
               fmt::format("{} refusals of rows of the outbox", outbox.refusals));
}

/// Alters the block that ends with the fact, and gives what it held.
std::string replace_block(SweepWorld& world, StreamId last, std::string_view data) {
  const auto connection = world.connect();
  const auto block = read_blocks(*connection, StreamKey{1}, last.plus(-1), 1).value().at(0);
  POSTRIDER_ASSERT(block.last == last, "a block of one fact");
  POSTRIDER_ASSERT(connection->execute(damage_sql, {last.value, Blob{data}}).value() == 1,
                   "it is stored");
  return block.data;
}

Async<Result<void>> retry(Engine* engine, StreamId first) {
  CO_TRY_VOID(co_await engine->quarantine().retry("events", first));
  co_return Result<void>{};
}

/// Of two damaged facts that were restored, one is appended again and the other one dropped.
void quarantine(SweepWorld& world) {
  world.boot("one");
  world.put(webhook("hook"));
  world.pause("hook");
  std::vector<StreamId> ids;
  for (const std::int64_t number : {1, 2, 3, 4, 5}) {
    world.append("one", {number});
    ids.push_back(world.last_id());
  }
  world.stop("one");
  if (world.referee().verdict()) return;
  const std::string second = replace_block(world, ids[1], "damaged");
  const std::string fourth = replace_block(world, ids[3], "damaged");
  world.boot("one");
  world.resume("hook");
  const auto has_the_rest = [&] { return world.receivers.delivered("hook").size() == 3; };
  world.wait_until(has_the_rest, "the facts between are delivered");
  world.stop("one");
  if (world.referee().verdict()) return;
  replace_block(world, ids[1], second);
  replace_block(world, ids[3], fourth);
  world.boot("one");
  world.expect_again(2);
  world.expect_unwanted("hook", 4);
  world.insist([&](Engine& engine) { return retry(&engine, ids[1]); }, Code::not_found);
  world.insist([&](Engine& engine) { return engine.quarantine().drop("events", ids[3]); },
               Code::not_found);
  world.finish();
}

}  // namespace

std::span<const SweepScenario> sweep_scenarios() {
  static constexpr std::array scenarios = {
      SweepScenario{.name = "append", .run = append, .delivers = false},
      SweepScenario{.name = "decide", .run = decide},
      SweepScenario{.name = "deliver", .run = deliver},
      SweepScenario{.name = "take_over", .run = take_over, .is_fleet = true},
      SweepScenario{.name = "retention", .run = retention},
      SweepScenario{.name = "drain_outbox", .run = drain_outbox},
      SweepScenario{.name = "quarantine", .run = quarantine}};
  return scenarios;
}

}  // namespace postrider::sim
