#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "postrider/outbox/outbox_table.hpp"
#include "postrider/runtime/gate.hpp"
#include "postrider/store/outbox_batches.hpp"
#include "postrider/stream/fact_parser.hpp"
#include "postrider/stream/streams.hpp"

// A round: read the first rows by ID, append them to their streams, and delete them. The commit
// that makes rows facts also stores a batch (their IDs, a number that counts up, the last stream
// ID) under the identity of the outbox. Rows are deleted in the transaction that reads the next
// ones, and whoever begins deletes those of the stored batches first.
//
// Faults. Between the commit and the deletion the process may end: the stored batch names the rows,
// so that none becomes a fact twice. Two processes may drain one outbox for a while: a batch is
// stored only as the successor of the last one, so that one of them fails and begins again. A row
// that can be no fact is set aside with the reason, after a commit has proved that no other process
// drains. An outbox that was restored from a backup may give out IDs again: batches are emptied
// once their rows are gone.

namespace prometheus {
class Counter;
}  // namespace prometheus

namespace postrider {

/// The way to the database that an application keeps its outbox in.
struct OutboxPort {
  Lane& lane;
  /// Called on the lane, and again when it failed.
  std::function<Result<std::unique_ptr<SqlConnection>>()> connect;
};

struct OutboxSettings {
  /// Between two questions at rest, at least 5 ms. See `outbox_pause`.
  Duration poll_interval = std::chrono::milliseconds{50};
  OutboxLimits limits;  ///< and never more than those of facts

  bool operator==(const OutboxSettings&) const = default;
};

/// How long to wait until the outbox is asked again: a tenth of the time since rows came last, but
/// at least a tenth of the interval and at most the interval.
Duration outbox_pause(Duration poll_interval, Duration since_rows);

struct OutboxMetrics {
  prometheus::Counter& facts;
  prometheus::Counter& refused;
};

/// Takes facts from an outbox into streams, each once. Engine thread.
class OutboxDrain {
 public:
  /// `installation` reads the database of this installation. References must outlive this.
  OutboxDrain(Runtime& runtime, OutboxPort port, Reader installation, Commits& commits,
              Streams& streams, OutboxSettings settings, FactLimits facts, OutboxMetrics metrics);

  void start();
  /// Begins nothing more. A read or an append that is under way goes on.
  void request_stop();
  /// After `request_stop`: waits for what is under way, as long as the application's database
  /// takes.
  Async<void> stopped();

 private:
  struct Group;
  struct Parsed;
  Async<void> run();
  Async<Result<bool>> drain_batch();
  Async<Result<void>> open();
  Async<Result<std::vector<OutboxRow>>> read_rows();
  Async<Result<void>> append_all(const std::vector<OutboxRow>* rows);
  Async<void> append_group(Group* group);
  Async<Result<void>> append_rows(Stream* stream, const std::vector<const OutboxRow*>* rows);
  Async<Result<void>> set_aside(const std::vector<const OutboxRow*>* rows, std::string reason);
  Async<Result<bool>> is_stored(std::string name);
  Async<Result<void>> claim(StreamKey stream);
  Async<Result<void>> forget_deleted_rows();
  Async<Result<void>> put_batches(const std::vector<OutboxBatch>* batches);
  void report(const Result<bool>& outcome);

  Runtime& runtime_;
  OutboxPort port_;
  Reader installation_;
  Commits& commits_;
  Streams& streams_;
  FactLimits facts_;
  OutboxSettings settings_;
  OutboxMetrics metrics_;
  std::unique_ptr<SqlConnection> connection_;  ///< used on the port's lane
  std::string outbox_;                         ///< its identity; empty: `open` comes next
  std::map<StreamKey, OutboxBatch> batches_;   ///< the last one of each stream
  std::vector<std::string> rows_to_delete_;    ///< lists of those that are facts already
  std::string last_failure_;
  MonoTime rows_came_at_{};
  Event stop_requested_;
  Gate gate_;
  bool stopping_ = false;
};

}  // namespace postrider
