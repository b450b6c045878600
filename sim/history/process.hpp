#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "postrider/drivers/sqlite/sqlite_database.hpp"
#include "postrider/engine/engine.hpp"
#include "sim/history/network.hpp"
#include "sim/world/air.hpp"
#include "sim/world/allocated.hpp"
#include "sim/world/slow_lane.hpp"

namespace postrider::sim {

/// One run of the server: the real engine over the simulated disk and network. Its destructor is
/// `kill -9`: whatever it had under way is gone where it stood.
class Process {
 public:
  struct World {
    Timeline& timeline;
    VirtualRuntime& runtime;
    Network& network;
    Judge& judge;
    const Plan& plan;
    const RemoteFaults& remote;
    Air& air;
    std::int64_t number;        ///< counts the processes of a history
    std::string instance_name;  ///< of one of several
    const ServiceFile& file;    ///< that it starts with
    std::int64_t& held_bytes;   ///< set when a process ends: what its engine held
  };

  Process(World world, std::unique_ptr<SqliteDatabase> database,
          std::unique_ptr<SqlConnection> writer, std::unique_ptr<SqlConnection> reader,
          Random random);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  Engine& engine() { return engine_; }
  [[nodiscard]] std::int64_t number() const { return world_.number; }
  /// What it is asked goes on after it has ended to deliver.
  void keep_delivery() { asked_.insert(engine_.delivery()); }
  /// As by SIGSTOP and SIGCONT.
  void set_paused(bool paused) { runtime_.set_paused(paused); }
  void start(std::function<void(std::optional<Result<void>>)> done);
  /// As by SIGTERM.
  void stop(std::function<void(std::optional<bool>)> done);

  /// Runs the coroutine in the process. `done` is called outside of it, with nothing when the
  /// process ended first.
  template <class T>
  void call(Async<T> task, std::function<void(std::optional<T>)> done) {
    auto report = std::make_unique<Report<T>>(world_.runtime, std::move(done));
    boost::asio::co_spawn(runtime_.executor(), std::move(task),
                          [report = std::move(report)](const std::exception_ptr& error, T value) {
                            POSTRIDER_ASSERT(!error, "a coroutine threw");
                            report->value = std::move(value);
                          });
  }

 private:
  /// Tells on its destruction, which comes in any case.
  template <class T>
  struct Report {
    Report(VirtualRuntime& to, std::function<void(std::optional<T>)> callback)
        : world(to), done(std::move(callback)) {}
    Report(const Report&) = delete;
    Report& operator=(const Report&) = delete;
    ~Report() {
      world.post(
          [done = std::move(done), value = std::move(value)]() mutable { done(std::move(value)); });
    }
    VirtualRuntime& world;
    std::function<void(std::optional<T>)> done;
    std::optional<T> value;
  };

  /// Weighs what is destroyed between its owner's and its own destruction.
  struct Scale {
    std::int64_t& held_bytes;
    std::int64_t before = 0;
    ~Scale() { held_bytes = before - allocated_bytes(); }
  };

  World world_;
  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqlConnection> writer_;
  std::unique_ptr<SqlConnection> reader_;
  Scale scale_;
  VirtualRuntime runtime_;
  SlowLane writer_lane_;
  SlowLane reader_lane_;
  SlowLane bus_lane_;
  std::unique_ptr<SimulatedBus> bus_;
  SimulatedHttpClient http_;
  Engine engine_;
  std::set<std::shared_ptr<DeliveryWork>> asked_;
};

}  // namespace postrider::sim
