#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "postrider/engine/engine_settings.hpp"
#include "postrider/lease/silence.hpp"
#include "postrider/store/streams.hpp"

namespace postrider {

/// What a process does as one of several on a database, as `Fleet` needs it. Engine thread.
class FleetMember {
 public:
  FleetMember() = default;
  FleetMember(const FleetMember&) = delete;
  FleetMember& operator=(const FleetMember&) = delete;
  virtual ~FleetMember() = default;

  /// A stream that this process writes to from now on. Again for each session.
  virtual void join_stream(const StreamRow& row, WriterStart start) = 0;
  [[nodiscard]] virtual Stream* find_stream(StreamKey key) const = 0;
  [[nodiscard]] virtual std::vector<Stream*> streams() const = 0;

  /// What the database says of all sessions.
  virtual void adopt_sessions(const StoredSessions& stored) = 0;
  /// True while others tell what they do, so that the database need not be asked all the time.
  [[nodiscard]] virtual bool hears_others() const = 0;

  /// True when it neither delivers nor has anything of that left in flight.
  [[nodiscard]] virtual bool can_deliver() const = 0;
  /// It holds the lease of delivery.
  virtual Async<Result<void>> begin_delivery() = 0;
  /// It no longer does.
  virtual void end_delivery() = 0;
};

/// Makes the instance a writer of the stream, inside a transaction. `used`: what is known to have
/// been given out.
Result<WriterStart> join_as_writer(SqlConnection& connection, const StreamRow& row,
                                   InstanceKey instance, StreamId used);

/// Keeps the session of this process and listens to those of others: tells the streams how far
/// each writer is, ends who is silent, and takes over what they did.
class Fleet {
 public:
  Fleet(const EnginePorts& ports, Committer& committer, Session& session, FleetSettings settings,
        FleetMember& member);

  /// Begins the session and joins every stream there is.
  Async<Result<void>> start();
  /// Ends the session, so that nobody waits for its silence. Nothing is to be committed any more.
  Async<void> stop();

  /// What the database says now is wanted soon.
  void look_soon();
  /// The name of the instance that delivers; empty when none does.
  [[nodiscard]] const std::string& delivering_instance() const { return delivering_; }

 private:
  struct Seen;
  Async<void> run();
  Async<Result<void>> look();
  Async<Result<void>> begin();
  Async<Result<void>> beat();
  Async<Result<void>> end_silent(const Seen* seen);
  Async<Result<void>> join_new_streams(const Seen* seen);
  Async<Result<void>> save_positions();
  Async<Result<void>> hold_delivery(const Seen* seen);
  void adopt(const Seen& seen);
  Async<void> rest();

  EnginePorts ports_;
  Committer& committer_;
  Session& session_;
  FleetSettings settings_;
  FleetMember& member_;
  SilenceWatch silence_;
  std::map<StreamKey, StreamId> saved_positions_;
  std::string delivering_;
  std::vector<WriterPositionRow> positions_before_;  ///< as of the look before
  std::string last_failure_;
  bool is_look_wanted_ = false;
  Event wake_;
  Gate gate_;
  bool stopping_ = false;
};

}  // namespace postrider
