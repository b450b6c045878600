#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postrider/replication/block_row.hpp"
#include "postrider/replication/command.hpp"
#include "postrider/runtime/bus.hpp"
#include "postrider/runtime/lane.hpp"
#include "postrider/store/sessions.hpp"
#include "postrider/stream/streams.hpp"

// Each process publishes what its writers do. A commit is its blocks as RDATA rows, the last of
// them with the position; a position without facts is a POSITION. Each names the position before
// it. Rows of others are gathered until their commit is whole, unpacked on a lane, and applied to
// the stream. REPLICATE, sent on connecting, asks all for their positions; CLEAR_SESSION announces
// an end.
//
// Faults. The bus loses, delays, repeats and reorders lines, and connections end at any point. What
// does not begin at the known position of its writer, lacks a row or cannot be read is applied
// without its facts: readers go to the database. A writer, stream or session that is not known here
// makes the database be polled soon. Bytes that wait are bounded; what goes beyond is lost as on
// the bus.

namespace postrider {

/// Publishes the updates of the writers of this process on the bus, and applies those of other
/// processes to the streams of this one. Engine thread.
class Replicator final : public Bus::Listener {
 public:
  /// What it asks of the process around it. Called on the engine thread.
  struct Callbacks {
    std::function<void()> poll_soon;         ///< the database has changes that are not known here
    std::function<bool()> needs_attributes;  ///< whether facts are wanted with their attributes
    std::function<void(std::string_view service)> retry_service;  ///< it takes requests again
  };
  /// `lane`: for unpacking. References must outlive the replicator.
  Replicator(Runtime& runtime, Lane& lane, Bus& bus, const Session& session, Streams& streams,
             Callbacks callbacks);

  /// Once. Connects to the bus; `fleet` is the name that the database has for its processes.
  void start(const std::string& fleet);
  /// Announces that the session has ended, so that others need not wait for its expiry, and leaves
  /// the bus. After `start`.
  void stop();
  /// The updates of this stream are published from now on. Once for each stream, which outlives the
  /// replicator.
  void attach(Stream& stream);
  /// What the database says of the instances, which are called by their names on the bus.
  void set_instances(const std::vector<SessionRow>& sessions);
  /// Tells the process that delivers to the service that it takes requests again. Lost while the
  /// bus is not connected.
  void announce_server_up(const std::string& service);
  [[nodiscard]] bool is_connected() const { return is_connected_; }

  void connected() override;
  void disconnected() override;
  void received(std::string line) override;

 private:
  /// A position of this process that is not published yet.
  struct PendingPosition {
    StreamId previous;
    StreamId position;
  };
  /// The rows that have arrived of a commit whose last row has not.
  struct PartialCommit {
    std::vector<std::string> rows;
    std::size_t bytes = 0;
  };
  using Writer = std::pair<std::string, std::string>;  ///< stream, instance
  struct IncomingUpdate;

  void publish(Stream& stream, const WriterUpdate& update);
  void publish_position(const std::string& stream, StreamId previous, StreamId position);
  void publish_rows(const std::string& stream, const WriterUpdate& update, StreamId previous);
  void publish_position_later(const Stream& stream, const WriterUpdate& update);
  void publish_pending_positions();
  void publish_all_positions();

  void handle(const PositionCommand& command);
  void handle(RdataCommand command);
  void handle(const ReplicateCommand&) { publish_all_positions(); }
  void handle(const ClearSessionCommand& command);
  void handle(const ErrorCommand& command);
  void handle(const RemoteServerUpCommand& command) { callbacks_.retry_service(command.service); }
  void handle(const NameCommand&) {}
  void handle(const PingCommand&) {}
  /// The writer of that name; null when that is this process itself or not known.
  const InstanceKey* writer_of(const std::string& instance);
  /// Unpacks on the lane, so that updates stay in their order, and applies then.
  void unpack_and_apply(const std::shared_ptr<IncomingUpdate>& incoming);
  void apply(const IncomingUpdate& incoming);
  /// Limited in its rate: others may send the same wrong line a thousand times a second.
  void warn(const std::string& about);

  Runtime& runtime_;
  Lane& lane_;
  Bus& bus_;
  const Session& session_;
  Streams& streams_;
  Callbacks callbacks_;
  std::map<std::string, InstanceKey> instances_;
  std::map<std::string, PendingPosition> pending_positions_;  ///< by stream
  bool is_publishing_scheduled_ = false;
  std::map<Writer, PartialCommit> partial_commits_;
  std::size_t buffered_bytes_ = 0;  ///< of rows in partial commits or on the lane
  MonoTime next_warning_at_{};
  std::int64_t withheld_warnings_ = 0;
  bool is_connected_ = false;
  bool must_catch_up_ = false;  ///< nothing was read from the database since the connection
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace postrider
