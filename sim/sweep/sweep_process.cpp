#include "sim/sweep/sweep_process.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>

namespace postrider::sim {

SweepProcess::SweepProcess(World world, const SqliteSettings& database, EngineSettings settings,
                           std::uint64_t count)
    : world_(world),
      database_(SqliteDatabase::open(database).value()),
      writer_(std::make_unique<FailingConnection>(
          database_->connect(Database::Access::read_write).value(),
          FailingConnection::World{world.timeline, world.counter, ended})),
      reader_(std::make_unique<FailingConnection>(
          database_->connect(Database::Access::read_only).value(),
          FailingConnection::World{world.timeline, world.counter, ended})),
      outbox_port_{lane,
                   [this]() -> Result<std::unique_ptr<SqlConnection>> {
                     return std::make_unique<FailingConnection>(
                         std::make_unique<FakeOutboxConnection>(*world_.outbox),
                         FailingConnection::World{world_.timeline, world_.counter, ended});
                   }},
      number(count),
      runtime(world.timeline, Random(count)),
      bus_(world.air == nullptr
               ? nullptr
               : std::make_unique<FailingBus>(runtime, *world.air, world.counter, ended)),
      http_(runtime, world.receivers, world.counter, ended),
      engine(EnginePorts{runtime, Reader{lane, *writer_}, Reader{lane, *reader_}, http_, bus_.get(),
                         &lane, world.outbox == nullptr ? nullptr : &outbox_port_},
             std::move(settings)) {
  boost::asio::co_spawn(runtime.executor(), engine.start({}),
                        [this](const std::exception_ptr& error, const Result<void>& started) {
                          POSTRIDER_ASSERT(!error, "a coroutine threw");
                          state = started ? State::ready : State::failed;
                          if (!started) start_failure = started.error();
                        });
}

}  // namespace postrider::sim
