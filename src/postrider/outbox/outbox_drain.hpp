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
  Duration poll_interval = std::chrono::milliseconds{50};
  OutboxLimits limits;
  FactLimits facts;
};

struct OutboxMetrics {
  prometheus::Counter& facts;
  prometheus::Counter& refused;
};

/// Takes facts from an outbox into streams, each once: a commit that carries facts names their
/// rows, the rows are deleted afterwards, and whoever begins deletes those that were named last.
/// Of two that drain one outbox, whoever is second at a stream is refused and begins anew. Engine
/// thread.
class OutboxDrain {
 public:
  /// `installation`: reads the database of this installation.
  OutboxDrain(Runtime& runtime, OutboxPort port, Reader installation, Commits& commits,
              Streams& streams, OutboxSettings settings, OutboxMetrics metrics);

  void start();
  /// Begins nothing more.
  void request_stop();
  /// After `request_stop`: waits for what is under way.
  Async<void> stopped();

 private:
  struct Group;
  struct Parsed;
  Async<void> run();
  Async<Result<bool>> take_batch();
  Async<Result<void>> open();
  Async<Result<std::vector<OutboxRow>>> read_rows();
  Async<Result<void>> place(const std::vector<OutboxRow>* rows);
  Async<void> append_group(Group* group);
  Async<Result<void>> append_rows(Stream* stream, const std::vector<const OutboxRow*>* rows);
  Async<Result<void>> refuse(const std::vector<const OutboxRow*>* rows, std::string reason);
  Async<Result<bool>> is_stored(std::string name);
  Async<Result<void>> claim(StreamKey stream);
  Async<Result<void>> empty_batches();
  Async<Result<void>> put_batches(const std::vector<OutboxBatch>* batches);
  void report(const Result<bool>& outcome);

  Runtime& runtime_;
  OutboxPort port_;
  Reader installation_;
  Commits& commits_;
  Streams& streams_;
  OutboxSettings settings_;
  OutboxMetrics metrics_;
  std::unique_ptr<SqlConnection> connection_;  ///< used on the port's lane
  std::string outbox_;                         ///< its identity; empty before `open`
  std::map<StreamKey, OutboxBatch> batches_;   ///< the last one of each stream
  std::vector<std::string> taken_;             ///< lists of rows that are facts already
  std::string last_failure_;
  Event stop_requested_;
  Gate gate_;
  bool stopping_ = false;
};

}  // namespace postrider
