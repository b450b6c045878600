#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "postrider/drivers/sqlite/sqlite_database.hpp"
#include "postrider/engine/engine.hpp"
#include "sim/sweep/failing_bus.hpp"
#include "sim/sweep/failing_connection.hpp"
#include "sim/sweep/fake_outbox.hpp"
#include "sim/sweep/sweep_receiver.hpp"

namespace postrider::sim {

/// One process of a run: the real engine behind ports of which one call fails. Its destructor is
/// `kill -9`.
class SweepProcess {
 public:
  struct World {
    Timeline& timeline;
    CallCounter& counter;
    SweepReceivers& receivers;
    FakeOutbox* outbox = nullptr;  ///< null: there is none
    Air* air = nullptr;            ///< null: there is no bus
  };

  SweepProcess(World world, const SqliteSettings& database, EngineSettings settings,
               std::uint64_t count);
  SweepProcess(const SweepProcess&) = delete;
  SweepProcess& operator=(const SweepProcess&) = delete;
  ~SweepProcess() { runtime.end(); }

  enum class State { starting, ready, failed };

 private:
  World world_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqlConnection> writer_;
  std::unique_ptr<SqlConnection> reader_;
  OutboxPort outbox_port_;

 public:
  const std::uint64_t number;  ///< counts the processes of a run
  std::optional<Fault> ended;  ///< by the fault
  State state = State::starting;
  Error start_failure;
  VirtualRuntime runtime;
  InlineLane lane{runtime};

 private:
  std::unique_ptr<FailingBus> bus_;
  SweepHttpClient http_;

 public:
  Engine engine;
  std::set<std::shared_ptr<DeliveryWork>> asked;  ///< what it was asked for may go on in these
};

}  // namespace postrider::sim
