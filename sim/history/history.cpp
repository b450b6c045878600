#include "sim/history/history.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "sim/history/audit.hpp"
#include "sim/history/delivery_watch.hpp"
#include "sim/history/documents.hpp"
#include "sim/history/examination.hpp"
#include "sim/history/life_cycle.hpp"
#include "sim/history/operators.hpp"
#include "sim/history/producers.hpp"
#include "sim/history/token_readers.hpp"

namespace postrider::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Past the largest backoff and time-out of the plan; disks and networks are fast again.
constexpr Duration recovery_margin = minutes{2};
// Between two looks for what can be forgotten, with time to write.
constexpr Duration retention_pause_max = minutes{2};
// A history that does more than this hangs in circles.
constexpr std::uint64_t steps_max = 3'000'000;
// What an idle engine may have learned: rooms, users, metrics.
constexpr std::int64_t memory_margin = 128 << 10;

class History {
 public:
  History(std::uint64_t seed, std::string_view scenario, bool prints)
      : context_(draw_plan(seed, scenario), prints),
        producers_(context_, Random(seed, "producers")),
        followers_(context_, Random(seed, "followers")),
        token_readers_(context_, Random(seed, "token readers")),
        operators_(context_, Random(seed, "operators")),
        delivery_watch_(context_, operators_),
        clocks_(seed, "clocks") {
    context_.disk.faults = context_.plan.disk;
    Random crashes(seed, "crashes");
    for (std::size_t i = 0; i < context_.members.size(); ++i) {
      life_cycles_.emplace_back(context_, i,
                                context_.is_fleet() ? Random(crashes.next()) : crashes);
    }
  }

  Report run() {
    for (LifeCycle& each : life_cycles_) each.start();
    operators_.start();
    producers_.start();
    followers_.start();
    token_readers_.start();
    jump_clock_later();
    let_faults_happen();
    if (!failed()) let_it_recover();
    if (!failed() && context_.plan.outlives_retention) outlive_retention();
    if (!failed()) examine();
    kill_all();
    return report();
  }

 private:
  [[nodiscard]] bool failed() const { return context_.referee.verdict().has_value(); }

  /// False when it is over.
  bool step(MonoTime end) {
    if (failed()) return false;
    if (context_.timeline.steps() > steps_max) {
      context_.referee.broken(Check::liveness, "goes round in circles\n" + who_waits());
      return false;
    }
    const bool more = context_.timeline.step(end);
    for (LifeCycle& each : life_cycles_) each.after_step();
    delivery_watch_.after_step();
    return more;
  }

  void kill_all() {
    for (LifeCycle& each : life_cycles_) each.kill();
  }

  void let_faults_happen() {
    const WorkloadPlan& plan = context_.plan.workload;
    const Duration length = plan.mean_pause * plan.appends + seconds{30};
    const MonoTime end = context_.timeline.now() + length;
    while (step(end)) {
    }
  }

  void let_it_recover() {
    context_.healed = true;
    context_.trace.note("faults stop");
    context_.disk.faults = {};
    context_.disk.lose_power_after(0);
    context_.remote = {};
    for (LifeCycle& each : life_cycles_) each.heal();
    if (context_.plan.crash.one_stays_dead) life_cycles_.front().retire();
    context_.network.heal();
    context_.air.heal();
    operators_.resume_all();
    come_to_rest();
  }

  void come_to_rest() {
    const DeliveryPolicy& delivery = context_.plan.engine.services.delivery;
    const Duration limit =
        2 * delivery.backoff.max + 2 * delivery.request_timeout + recovery_margin;
    MonoTime end = context_.timeline.now() + limit;
    std::int64_t reached = progress();
    while (!is_quiet() && step(end)) {
      if (std::exchange(reached, progress()) == reached) continue;
      end = context_.timeline.now() + limit;
    }
    if (failed() || is_quiet()) return;
    const std::string missing = token_readers_.missing();
    if (knows_everything() && !missing.empty()) {
      return context_.referee.broken(Check::token, missing);
    }
    context_.referee.broken(Check::liveness, fmt::format("nothing happens for {} s\n{}",
                                                         postrider::seconds(limit), who_waits()));
  }

  void outlive_retention() {
    const StreamsSettings& streams = context_.plan.engine.streams;
    Duration longest = streams.each.idempotency_retain;
    for (const auto& [name, stream] : streams.declared) longest = std::max(longest, stream.retain);
    const MonoTime end = context_.timeline.now() + longest + retention_pause_max;
    while (step(end)) {
    }
    context_.past_retention = true;
  }

  /// Grows when something of use happens.
  std::int64_t progress() {
    std::int64_t done = context_.judge.transactions() + context_.ledger.answers();
    if (context_.engine() == nullptr) return done;
    for (const Stream* stream : context_.engine()->streams().all()) {
      done -= stream->sort_lag();
    }
    return done;
  }

  bool is_quiet() {
    if (context_.engine() == nullptr || !producers_.finished() || !operators_.finished()) {
      return false;
    }
    if (!knows_everything() || !token_readers_.missing().empty()) return false;
    Engine& engine = *context_.engine();
    for (const Stream* stream : engine.streams().all()) {
      if (stream->sort_lag() > 0) return false;
    }
    if (!unlike_the_files().empty()) return false;
    for (const auto& [id, service] : engine.delivery()->services().all()) {
      if (service->row.source == ServiceSource::configuration) continue;
      const bool idle = !service->delivering && service->behind() == 0;
      if (service->is_pushed() && (!idle || !service->is_active())) return false;
    }
    return true;
  }

  /// What is not as the files of the processes that run say, which declare a service together;
  /// empty when all is.
  std::string unlike_the_files() {
    std::set<std::string> ids;
    for (const ServiceFile& file : context_.plan.files) {
      for (const auto& [id, number] : file) ids.insert(id);
    }
    for (const std::string& id : ids) {
      const auto service = context_.engine()->delivery()->services().find(id);
      const bool is_paused = service && service->delivery.paused_by.has(PauseCause::undeclared);
      bool is_declared = false;
      bool is_as_declared = false;
      for (const Member& member : context_.members) {
        const ServiceFile& file = context_.plan.files[member.file];
        const auto declared = file.find(id);
        if (member.process == nullptr || declared == file.end()) continue;
        is_declared = true;
        if (service) is_as_declared |= is_like(*service, declared->second);
      }
      // Only who has a document can store it.
      const bool can_store =
          context_.plan.files[context_.members[context_.deliverer].file].contains(id);
      if (service && !is_declared && !is_paused) return id + " is in no file, and not paused";
      if (is_as_declared && is_paused) return id + " is in a file, and paused";
      if (can_store && !is_as_declared) return id + " is not as any file says";
    }
    return {};
  }

  static bool is_like(const Service& service, int number) {
    const auto receiver = declared_receiver(service.row.id, number);
    return service.receiver->document(Secrets::show) == receiver->document(Secrets::show);
  }

  /// Every process has in order what was answered.
  bool knows_everything() {
    return std::ranges::all_of(context_.members, [this](const Member& member) {
      if (member.retired) return true;
      if (member.running() == nullptr) return false;
      const auto streams = member.running()->engine().streams().all();
      return std::ranges::all_of(streams, [this](const Stream* stream) {
        return stream->linear_position() >= context_.ledger.last_answered(stream->name());
      });
    });
  }

  std::string who_waits() {
    std::string text;
    for (const Member& member : context_.members) {
      text += member.instance_name;
      if (member.process == nullptr) text += " does not run";
      if (member.process != nullptr && !member.ready) text += " does not start";
      if (member.running() != nullptr) {
        for (const Stream* stream : member.running()->engine().streams().all()) {
          text += fmt::format(" {} {}", stream->name(), stream->positions().token());
        }
      }
      text += '\n';
    }
    if (context_.engine() == nullptr) return text + "nobody delivers";
    Engine& engine = *context_.engine();
    for (const Stream* stream : engine.streams().all()) {
      text += fmt::format("{}: linear {}, {} to sort\n", stream->name(), stream->linear_position(),
                          stream->sort_lag());
    }
    for (const auto& [id, service] : engine.delivery()->services().all()) {
      text += fmt::format("{}: {}, {} behind, {}, {} failed attempts: {}\n", id,
                          postrider::name_of(service->delivery.status), service->behind(),
                          service->delivering ? "delivering" : "not delivering",
                          service->delivery.attempts, service->delivery.last_error);
    }
    const TransactionBudget& budget = engine.delivery()->budget();
    text += fmt::format("transactions: {} bytes in flight, {} wait for memory\n",
                        budget.held_bytes(), budget.waiting());
    return text + unlike_the_files() +
           fmt::format("\nproducers {}, operators {}", producers_.finished() ? "done" : "wait",
                       operators_.finished() ? "done" : "wait");
  }

  void examine() {
    kill_all();
    const std::int64_t held = life_cycles_.front().held_bytes();
    audit_disk(context_);
    if (!failed() && !context_.is_fleet()) examine_memory(held);
    if (!failed()) examine_deliveries(context_);
  }

  /// A process that did all this may not hold more than one that has just started, but for what its
  /// caches may keep.
  void examine_memory(std::int64_t held) {
    LifeCycle& life_cycle = life_cycles_.front();
    life_cycle.boot();
    come_to_rest();
    if (failed()) return;
    life_cycle.kill();
    const std::int64_t fresh = life_cycle.held_bytes();
    const StreamSettings& stream = context_.plan.engine.streams.each;
    const std::size_t caches = stream.tail_cache_bytes + stream.block_cache_bytes;
    if (held <= fresh + static_cast<std::int64_t>(caches) + memory_margin) return;
    context_.referee.broken(
        Check::idle,
        fmt::format("holds {} bytes and a new process {}, with nothing to do", held, fresh));
  }

  void jump_clock_later() {
    const Duration mean = context_.plan.mean_clock_jump_pause;
    if (mean == Duration{}) return;
    context_.later(clocks_.between(Duration{1}, mean * 2), [this] {
      if (context_.healed) return;
      const Duration by = clocks_.between(-Duration{minutes{20}}, Duration{minutes{20}});
      context_.trace.note("clock jumps", {by.count()});
      context_.timeline.jump_wall_clock(by);
      context_.judge.clock_jumped();
      jump_clock_later();
    });
  }

  [[nodiscard]] std::int64_t crashes() const {
    std::int64_t count = 0;
    for (const LifeCycle& each : life_cycles_) count += each.crashes();
    return count;
  }

  Report report() {
    Report report;
    report.seed = context_.plan.seed;
    report.scenario = context_.plan.scenario;
    report.trace_hash = context_.trace.hash();
    report.virtual_seconds = postrider::seconds(context_.timeline.now().time_since_epoch());
    report.counts = {.facts = static_cast<std::int64_t>(context_.ledger.size()),
                     .transactions = context_.judge.transactions(),
                     .retries = context_.judge.retries(),
                     .crashes = crashes(),
                     .network_faults = context_.network.faults(),
                     .disk_faults = static_cast<std::int64_t>(context_.disk.counts().failed),
                     .lost_writes = static_cast<std::int64_t>(context_.disk.counts().lost_writes)};
    report.verdict = context_.referee.verdict();
    return report;
  }

  Context context_;
  std::deque<LifeCycle> life_cycles_;  ///< of each member
  Producers producers_;
  Followers followers_;
  TokenReaders token_readers_;
  Operators operators_;
  DeliveryWatch delivery_watch_;
  Random clocks_;
};

}  // namespace

Report run_history(std::uint64_t seed, std::string_view scenario, bool prints) {
  reset_sqlite_randomness();
  return History(seed, scenario, prints).run();
}

Report run_twice(std::uint64_t seed, std::string_view scenario) {
  Report report = run_history(seed, scenario, false);
  const std::uint64_t again = run_history(seed, scenario, false).trace_hash;
  if (!report.verdict && again != report.trace_hash) {
    report.verdict = {Check::repeatable, fmt::format("its second run has trace {:016x}", again)};
  }
  return report;
}

}  // namespace postrider::sim
