#include "sim/history/life_cycle.hpp"

#include "sim/history/audit.hpp"
#include "sim/history/damaging.hpp"

namespace postrider::sim {
namespace {

using std::chrono::milliseconds;

// How far into what the process does next a crash may fall.
constexpr std::uint64_t steps_to_crash_max = 400;
constexpr std::uint64_t disk_changes_to_crash_max = 25;
// How often a process starts with another file than before, in thousandths.
constexpr int new_file = 500;

}  // namespace

void LifeCycle::start() {
  boot();
  plan_crash();
}

Result<void> LifeCycle::open() {
  TRY(auto database, SqliteDatabase::open(context_.database()));
  using Access = SqliteDatabase::Access;
  TRY(auto writer, database->connect(Access::read_write));
  TRY(auto reader, database->connect(Access::read_only));
  // Of a fleet, the one that comes to deliver is audited then.
  if (!context_.is_fleet()) TRY_VOID(audit(context_, *reader));
  TRY_VOID(damage(*writer));
  if (files_.chance(new_file)) member().file = files_.below(context_.plan.files.size());
  member().process = std::make_unique<Process>(
      Process::World{context_.timeline, context_.runtime, context_.network, context_.judge,
                     context_.plan, context_.remote, context_.air, ++context_.processes,
                     member().instance_name, context_.plan.files[member().file], held_bytes_},
      std::move(database), std::move(writer), std::move(reader), Random(random_.next()));
  return {};
}

Result<void> LifeCycle::damage(SqlConnection& connection) {
  const bool is_due = context_.plan.damaged > 0 && !context_.healed;
  if (!is_due || !damages_.chance(context_.plan.damaged)) return {};
  const DiskFaults faults = std::exchange(context_.disk.faults, {});
  const Result<void> damaged = damage_a_block(context_, connection, damages_);
  context_.disk.faults = faults;
  return damaged;
}

void LifeCycle::boot() {
  ++generation_;
  const auto opened = open();
  context_.trace.note("boot", member().instance_name, {opened ? 1 : 0});
  if (!opened) {
    kill();
    boot_later();
    return;
  }
  const std::uint64_t generation = generation_;
  member().process->start([this, generation](const std::optional<Result<void>>& started) {
    if (generation != generation_ || !started) return;
    context_.trace.note("started", member().instance_name, {*started ? 1 : 0});
    member().ready = started->has_value();
    if (member().ready) return;
    kill();
    boot_later();
  });
}

void LifeCycle::boot_later() {
  context_.later(milliseconds{random_.between(10, 5000)}, [this] {
    if (member().process == nullptr && !member().retired) boot();
  });
}

void LifeCycle::kill() {
  ++generation_;
  member().ready = false;
  member().process.reset();
  if (context_.deliverer == index_) context_.judge.process_ended();
  dies_at_step_.reset();
}

void LifeCycle::retire() {
  kill();
  member().retired = true;
}

void LifeCycle::plan_crash() {
  const Duration mean = context_.plan.crash.mean_interval;
  if (mean == Duration{}) return;
  context_.later(random_.between(Duration{1}, mean * 2), [this] {
    if (!context_.healed) crash();
    if (!context_.healed) plan_crash();
  });
}

void LifeCycle::crash() {
  if (member().process == nullptr) return;
  const CrashPlan& plan = context_.plan.crash;
  if (random_.chance(plan.pauses)) return pause();
  if (random_.chance(plan.graceful)) return stop_gracefully();
  power_goes_ = random_.chance(plan.power_lost);
  if (random_.chance(plan.inside_commit)) {
    context_.disk.lose_power_after(1 + random_.below(disk_changes_to_crash_max));
  } else {
    dies_at_step_ = context_.timeline.steps() + random_.below(steps_to_crash_max);
  }
}

/// As when an operator sees errors in the log and starts the server anew.
void LifeCycle::crash_after_disk_fault() {
  const std::uint64_t faults = context_.disk.counts().failed;
  if (std::exchange(disk_faults_, faults) == faults || context_.healed) return;
  if (member().process == nullptr || !random_.chance(context_.plan.crash.after_disk_fault)) return;
  power_goes_ = false;
  dies_at_step_ = context_.timeline.steps() + random_.below(steps_to_crash_max);
}

void LifeCycle::pause() {
  const auto interval = context_.plan.engine.fleet->session_interval;
  const Duration length = random_.between(Duration{1}, interval * 3);
  const std::uint64_t generation = generation_;
  context_.trace.note("pause", member().instance_name);
  member().process->set_paused(true);
  context_.later(length, [this, generation] {
    if (generation == generation_) member().process->set_paused(false);
  });
}

void LifeCycle::stop_gracefully() {
  if (!member().ready) return;
  member().ready = false;
  context_.trace.note("stop");
  const std::uint64_t generation = generation_;
  member().process->stop([this, generation](const std::optional<bool>& stopped) {
    if (generation != generation_ || !stopped) return;
    context_.trace.note("stopped");
    kill();
    boot_later();
  });
}

void LifeCycle::after_step() {
  crash_after_disk_fault();
  const bool dies = dies_at_step_ && context_.timeline.steps() >= *dies_at_step_;
  if (!dies && !context_.disk.powerless()) return;
  ++crashes_;
  context_.trace.note("crash", {power_goes_ ? 1 : 0});
  if (context_.is_fleet()) {
    // The database has a machine of its own.
    kill();
    return boot_later();
  }
  if (power_goes_ || dies) context_.disk.lose_power();
  kill();
  context_.disk.restore_power(power_goes_ ? Disk::Loss::power : Disk::Loss::none);
  boot_later();
}

void LifeCycle::heal() {
  dies_at_step_.reset();
  if (member().process != nullptr) member().process->set_paused(false);
}

}  // namespace postrider::sim
