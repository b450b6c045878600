#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "postrider/delivery/receiver.hpp"
#include "sim/disk/disk_vfs.hpp"
#include "sim/sweep/sweep_process.hpp"

namespace postrider::sim {

/// The world of one run: a disk, receivers, processes that are started again when they end, and
/// clients that try again as their errors allow. At the end it judges what has become of all that
/// was asked for.
class SweepWorld {
  Referee referee_;

 public:
  /// Processes have sessions when `is_remote`, as on a database server.
  SweepWorld(CallCounter& counter, bool is_remote);
  SweepWorld(const SweepWorld&) = delete;
  SweepWorld& operator=(const SweepWorld&) = delete;
  ~SweepWorld();

  // What a scenario is made of. Before the first `boot`:

  EngineSettings settings;
  bool has_bus = false;
  FakeOutbox* outbox = nullptr;

  // Processes, by name.

  void boot(const std::string& name);
  void kill(const std::string& name);
  /// As by SIGTERM.
  void stop(const std::string& name);
  void restart(const std::string& name);
  /// Lets time pass.
  void pass(Duration time);
  /// Waits for it as long as anything may take; breaks the check when it does not come true.
  void wait_until(const std::function<bool()>& condition, std::string_view what);

  // Clients.

  /// A service that gets all facts of all streams, or what the registration asks for.
  void put(const std::shared_ptr<const Receiver>& receiver);
  void pause(const std::string& service);
  void resume(const std::string& service);
  /// Appends facts with these numbers at once, each in an append of its own under a key, until all
  /// are answered.
  void append(const std::string& process, const std::vector<std::int64_t>& numbers,
              std::string_view more = R"("type":"t")");
  /// The same without a key, so that none is tried again.
  void append_once(const std::string& process, const std::vector<std::int64_t>& numbers);
  /// Where the fact stands that was appended last.
  [[nodiscard]] StreamId last_id() const { return last_id_; }
  /// Asks the engine until it answers, or refuses with a code that it is `done` with.
  void insist(const std::function<Async<Result<void>>(Engine&)>& ask, std::optional<Code> done);
  /// The process that delivers, when there is one.
  Engine* delivering();
  /// A way to the database around all faults.
  std::unique_ptr<SqlConnection> connect();

  // What is expected.

  /// Facts that were asked for otherwise than by an append here.
  void expect(std::int64_t number) { ledger_[number].answered = true; }
  /// The service is not to get the fact.
  void expect_unwanted(const std::string& service, std::int64_t number) {
    unwanted_[service].insert(number);
  }
  /// The fact stands in the stream a second time, and is delivered in that place.
  void expect_again(std::int64_t number) { again_.insert(number); }
  void expect_dropped_facts() { facts_are_dropped_ = true; }
  void broken(Check check, std::string detail) { referee_.broken(check, std::move(detail)); }

  /// The run has come to its end: everything must be delivered, also after another start.
  void finish();
  [[nodiscard]] const Referee& referee() const { return referee_; }

  SweepReceivers receivers{referee_};

 private:
  struct Fact {
    bool answered = false;
    bool refused = false;  ///< surely not stored
  };
  struct Append;
  using Appends = std::vector<std::shared_ptr<Append>>;
  SweepProcess* ready(const std::string& name);
  void create(const std::string& name);
  bool step(MonoTime end);
  void end(std::unique_ptr<SweepProcess> process);
  void run_appends(const std::string& process, const Appends& appends);
  void start_append(SweepProcess& process, const std::shared_ptr<Append>& append);
  void finish_append(Append& append, const Result<AppendReceipt>& outcome);
  void settle();
  std::vector<std::int64_t> read_stream();
  void judge_stream(const std::vector<std::int64_t>& stored);
  void judge_delivery(const std::string& service, const std::vector<std::int64_t>& stored);

  CallCounter& counter_;
  bool is_remote_;
  Timeline timeline_;
  VirtualRuntime runtime_;
  Disk disk_;
  DiskVfs vfs_;
  Air air_;
  std::map<std::string, std::unique_ptr<SweepProcess>> processes_;  ///< null: it starts soon
  std::uint64_t starts_ = 0;
  std::map<std::int64_t, Fact> ledger_;
  StreamId last_id_;
  std::set<std::string> services_;
  std::map<std::string, std::set<std::int64_t>> unwanted_;
  std::set<std::int64_t> again_;
  bool facts_are_dropped_ = false;
};

}  // namespace postrider::sim
