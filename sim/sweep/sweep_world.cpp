#include "sim/sweep/sweep_world.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "postrider/stream/fact_parser.hpp"

namespace postrider::sim {
namespace {

// Longer than any backoff, session and time-out together.
constexpr Duration patience = std::chrono::hours{1};
constexpr Duration pause_before_retry = std::chrono::seconds{1};

bool is_idle(Engine& engine) {
  const auto delivery = engine.delivery();
  if (!delivery) return false;
  const auto is_sorted = [](const Stream* stream) { return stream->sort_lag() == 0; };
  const auto is_served = [](const auto& entry) {
    return !entry.second->delivering && entry.second->behind() == 0;
  };
  return std::ranges::all_of(engine.streams().all(), is_sorted) &&
         std::ranges::all_of(delivery->services().all(), is_served);
}

Async<Result<void>> put_receiver(std::shared_ptr<DeliveryWork> delivery,
                                 std::shared_ptr<const Receiver> receiver) {
  CO_TRY_VOID(co_await delivery->services().put(std::move(receiver), ServiceSource::api));
  co_return Result<void>{};
}

/// Of all facts of the stream.
Async<Result<void>> read_numbers(Stream* stream, std::vector<std::int64_t>* numbers) {
  StreamId after = stream->dropped_through();
  while (after < stream->linear_position()) {
    CO_TRY(const FactRun run, co_await stream->read(after, 1000, Stream::WithAttributes::no));
    for (const Chunk& chunk : run.chunks) {
      for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
        numbers->push_back(numbers_in(chunk.payload(id)).at(0));
      }
    }
    if (run.through <= after) co_return fail(Code::facts_unreadable, "a stream ends early");
    after = run.through;
  }
  co_return Result<void>{};
}

}  // namespace

/// One append of a client, tried again under its key.
struct SweepWorld::Append {
  std::int64_t number;
  std::string payload;
  bool has_key = true;
  bool done = false;
  std::uint64_t asked = 0;  ///< the number of the process that has not answered
  MonoTime next_at{};
};

SweepWorld::SweepWorld(CallCounter& counter, bool is_remote)
    : counter_(counter),
      is_remote_(is_remote),
      runtime_(timeline_, Random(1)),
      disk_(Random(2)),
      vfs_("sweep", disk_, Random(3)),
      air_(Random(4), {}) {
  reset_sqlite_randomness();
  settings.streams.declared["events"] = {};
}

SweepWorld::~SweepWorld() {
  processes_.clear();
}

std::unique_ptr<SqlConnection> SweepWorld::connect() {
  return SqliteDatabase::open({.path = "/p.db", .size_max_bytes = 0, .vfs = vfs_.name()})
      .value()
      ->connect(Database::Access::read_write)
      .value();
}

void SweepWorld::create(const std::string& name) {
  EngineSettings own = settings;
  if (is_remote_) own.fleet = FleetSettings{.instance_name = name};
  processes_[name] = std::make_unique<SweepProcess>(
      SweepProcess::World{timeline_, counter_, receivers, outbox, has_bus ? &air_ : nullptr},
      SqliteSettings{.path = "/p.db", .size_max_bytes = 0, .vfs = vfs_.name()}, std::move(own),
      ++starts_);
}

void SweepWorld::boot(const std::string& name) {
  create(name);
  wait_until([this, name] { return ready(name) != nullptr; }, name + " starts");
}

/// What it had under way is gone. The disk of a server is another one.
void SweepWorld::end(std::unique_ptr<SweepProcess> process) {
  const bool takes_power = process->ended == Fault::power_lost && !is_remote_;
  if (process->ended && !is_remote_) disk_.lose_power();
  process.reset();
  if (disk_.powerless()) disk_.restore_power(takes_power ? Disk::Loss::power : Disk::Loss::none);
}

void SweepWorld::kill(const std::string& name) {
  auto process = std::move(processes_.at(name));
  processes_.erase(name);
  if (!process) return;
  if (!process->ended) process->ended = Fault::killed;
  end(std::move(process));
}

void SweepWorld::stop(const std::string& name) {
  auto process = std::move(processes_.at(name));
  processes_.erase(name);
  bool stopped = process == nullptr;
  if (process) {
    boost::asio::co_spawn(process->runtime.executor(), process->engine.stop({}, [] {}),
                          [&stopped](const std::exception_ptr& error) {
                            POSTRIDER_ASSERT(!error, "a coroutine threw");
                            stopped = true;
                          });
  }
  wait_until([&] { return stopped || process->ended; }, name + " stops");
  if (process) end(std::move(process));
}

void SweepWorld::restart(const std::string& name) {
  stop(name);
  boot(name);
}

SweepProcess* SweepWorld::ready(const std::string& name) {
  const auto found = processes_.find(name);
  const bool is_there = found != processes_.end() && found->second && !found->second->ended &&
                        found->second->state == SweepProcess::State::ready;
  return is_there ? found->second.get() : nullptr;
}

/// Processes that have ended or could not start come again, as a supervisor sees to.
bool SweepWorld::step(MonoTime end_at) {
  const bool goes_on = timeline_.step(end_at);
  for (auto& [name, process] : processes_) {
    if (!process) continue;
    if (!process->ended && process->state != SweepProcess::State::failed) continue;
    end(std::move(process));
    runtime_.call_at(timeline_.now() + pause_before_retry, [this, name] {
      const auto found = processes_.find(name);
      if (found != processes_.end() && !found->second) create(name);
    });
    return true;
  }
  return goes_on;
}

void SweepWorld::pass(Duration time) {
  bool passed = false;
  runtime_.call_at(timeline_.now() + time, [&passed] { passed = true; });
  while (!passed) step(timeline_.now() + time);
}

void SweepWorld::wait_until(const std::function<bool()>& condition, std::string_view what) {
  if (referee_.verdict()) return;
  const MonoTime end_at = timeline_.now() + patience;
  while (!condition()) {
    if (step(end_at)) continue;
    if (!condition()) broken(Check::liveness, fmt::format("waits for ever until {}", what));
    return;
  }
}

Engine* SweepWorld::delivering() {
  for (const auto& [name, process] : processes_) {
    if (ready(name) == nullptr || !process->engine.delivery()) continue;
    process->asked.insert(process->engine.delivery());
    return &process->engine;
  }
  return nullptr;
}

void SweepWorld::insist(const std::function<Async<Result<void>>(Engine&)>& ask,
                        std::optional<Code> done) {
  const MonoTime gives_up_at = timeline_.now() + patience;
  while (!referee_.verdict() && timeline_.now() < gives_up_at) {
    wait_until([this] { return delivering() != nullptr; }, "a process delivers");
    if (referee_.verdict()) return;
    Engine& engine = *delivering();
    const std::uint64_t starts = starts_;
    auto answer = std::make_shared<std::optional<Result<void>>>();
    boost::asio::co_spawn(engine.runtime().executor(), ask(engine),
                          [answer](const std::exception_ptr& error, Result<void> value) {
                            POSTRIDER_ASSERT(!error, "a coroutine threw");
                            *answer = std::move(value);
                          });
    wait_until([&] { return answer->has_value() || starts_ != starts; }, "an operator is answered");
    const bool is_answered = answer->has_value();
    if (is_answered && (**answer || (**answer).error().code == done)) return;
    pass(pause_before_retry);
  }
  broken(Check::liveness, "an operator asks for ever");
}

void SweepWorld::put(const std::shared_ptr<const Receiver>& receiver) {
  services_.insert(receiver->id());
  insist([&](Engine& engine) { return put_receiver(engine.delivery(), receiver); }, std::nullopt);
}

void SweepWorld::pause(const std::string& service) {
  insist([&](Engine& engine) { return engine.delivery()->services().pause(service); },
         std::nullopt);
}

void SweepWorld::resume(const std::string& service) {
  insist([&](Engine& engine) { return engine.delivery()->services().resume(service); },
         std::nullopt);
}

void SweepWorld::append(const std::string& process, const std::vector<std::int64_t>& numbers,
                        std::string_view more) {
  Appends appends;
  for (const std::int64_t number : numbers) {
    appends.push_back(std::make_shared<Append>(
        Append{.number = number, .payload = fmt::format(R"({{{},"n":{}}})", more, number)}));
  }
  run_appends(process, appends);
}

void SweepWorld::append_once(const std::string& process, const std::vector<std::int64_t>& numbers) {
  Appends appends;
  for (const std::int64_t number : numbers) {
    appends.push_back(
        std::make_shared<Append>(Append{.number = number,
                                        .payload = fmt::format(R"({{"type":"t","n":{}}})", number),
                                        .has_key = false}));
  }
  run_appends(process, appends);
}

void SweepWorld::run_appends(const std::string& process, const Appends& appends) {
  const auto is_done = [&appends] {
    return std::ranges::all_of(appends, [](const auto& each) { return each->done; });
  };
  const auto go_on = [&] {
    SweepProcess* const asked = ready(process);
    for (const auto& each : appends) {
      if (each->done) continue;
      if (each->asked != 0 && (asked == nullptr || each->asked != asked->number)) {
        each->asked = 0;  // it ended without an answer
        each->done = !each->has_key;
      }
      const bool is_due = each->asked == 0 && timeline_.now() >= each->next_at;
      if (asked != nullptr && is_due && !each->done) start_append(*asked, each);
    }
    return is_done();
  };
  wait_until(go_on, fmt::format("{} appends of {} are answered", appends.size(), process));
}

void SweepWorld::start_append(SweepProcess& process, const std::shared_ptr<Append>& append) {
  Stream& stream = *process.engine.streams().find("events");
  auto facts = parse_facts(append->payload, BodyKind::json, stream.format(), {}).value();
  std::optional<IdempotencyKey> key;
  if (append->has_key) {
    key = {fmt::format("k{}", append->number), std::string(32, 'd')};
  }
  append->asked = process.number;
  ledger_.try_emplace(append->number);
  boost::asio::co_spawn(
      process.runtime.executor(), stream.append(std::move(facts), std::move(key)),
      [this, append](const std::exception_ptr& error, const Result<AppendReceipt>& outcome) {
        POSTRIDER_ASSERT(!error, "a coroutine threw");
        finish_append(*append, outcome);
      });
}

void SweepWorld::finish_append(Append& append, const Result<AppendReceipt>& outcome) {
  append.asked = 0;
  Fact& fact = ledger_[append.number];
  fact.answered = outcome.has_value();
  append.done = outcome || !append.has_key;
  if (outcome) last_id_ = outcome->last;
  if (outcome) return;
  const Code code = outcome.error().code;
  fact.refused = append.done && (code == Code::storage_failed || code == Code::storage_full ||
                                 code == Code::session_ended);
  append.next_at = timeline_.now() + pause_before_retry;
  runtime_.call_at(append.next_at, [] {});
}

void SweepWorld::settle() {
  const auto is_settled = [this] {
    Engine* const engine = delivering();
    return engine != nullptr && is_idle(*engine) && (outbox == nullptr || outbox->rows.empty());
  };
  wait_until(is_settled, "everything is delivered");
}

std::vector<std::int64_t> SweepWorld::read_stream() {
  std::vector<std::int64_t> numbers;
  insist(
      [&numbers](Engine& engine) {
        numbers.clear();
        return read_numbers(engine.streams().find("events"), &numbers);
      },
      std::nullopt);
  return numbers;
}

void SweepWorld::judge_stream(const std::vector<std::int64_t>& stored) {
  for (const auto& [number, fact] : ledger_) {
    const auto count = std::ranges::count(stored, number);
    const std::int64_t most = again_.contains(number) ? 2 : 1;
    const std::int64_t least = fact.answered && !facts_are_dropped_ ? most : 0;
    if (count >= least && count <= (fact.refused ? 0 : most)) continue;
    broken(Check::durable_append, fmt::format("{} was {} and is there {} times", number,
                                              fact.answered ? "answered" : "not answered", count));
  }
  for (const std::int64_t number : stored) {
    if (ledger_.contains(number)) continue;
    broken(Check::durable_append, fmt::format("{} is there, and nobody appended it", number));
  }
}

void SweepWorld::judge_delivery(const std::string& service,
                                const std::vector<std::int64_t>& stored) {
  std::vector<std::int64_t> expected;
  if (facts_are_dropped_) {
    for (const auto& [number, fact] : ledger_) expected.push_back(number);
  } else {
    for (auto each = stored.begin(); each != stored.end(); ++each) {
      const bool comes_again = std::find(std::next(each), stored.end(), *each) != stored.end();
      if (!comes_again) expected.push_back(*each);
    }
  }
  const std::set<std::int64_t>& unwanted = unwanted_[service];
  std::erase_if(expected, [&](std::int64_t number) { return unwanted.contains(number); });
  const std::vector<std::int64_t>& delivered = receivers.delivered(service);
  if (delivered == expected) return;
  broken(Check::linear_order, fmt::format("{} got {} instead of {}", service, delivered, expected));
}

void SweepWorld::finish() {
  settle();
  while (processes_.size() > 1) stop(std::string(processes_.rbegin()->first));
  restart(std::string(processes_.begin()->first));
  settle();
  if (referee_.verdict()) return;
  const std::vector<std::int64_t> stored = read_stream();
  if (referee_.verdict()) return;
  judge_stream(stored);
  for (const std::string& service : services_) judge_delivery(service, stored);
}

}  // namespace postrider::sim
