#pragma once

#include <map>
#include <vector>

#include "postrider/store/sessions.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

/// Makes the instance a writer of the stream, inside a transaction. `used`: every ID that is known
/// to have been given out is at or below it.
Result<WriterStart> join_as_writer(SqlConnection& connection, const StreamRow& row,
                                   InstanceKey instance, StreamId used);

/// Where several processes write to the same streams: makes this one a writer of every stream,
/// under each of its sessions, tells each stream how far the other writers have come by what the
/// database says, and stores how far this one has come. Engine thread, but for `join_all`.
class StreamWriters {
 public:
  /// `reader` reads what others have stored. References must outlive this.
  StreamWriters(Streams& streams, Committer& committer, Reader reader, const Session& session)
      : streams_(streams), committer_(committer), reader_(reader), session_(session) {}

  /// On the committer's lane, inside the transaction that begins a session of `instance`: joins
  /// every stream there is. Takes effect with `on_session_begun`. May be called again when the
  /// transaction has failed.
  Result<void> join_all(SqlConnection& connection, InstanceKey instance,
                        const StoredSessions& stored);
  /// That transaction is committed.
  void on_session_begun();

  /// Joins the streams that others have created since. Errors: those of a commit and of reading.
  Async<Result<void>> join_new_streams(const StoredSessions* stored);
  /// Gives what the database says to the streams. `are_announced`: the writers announce their
  /// positions and facts on the bus too. The positions of the last call are used then, since newer
  /// ones are still under way there and arrive with their facts.
  void apply_positions(const StoredSessions& stored, bool are_announced);
  /// Stores the positions of this writer that have moved without facts, for those who read them
  /// from the database alone. Errors: those of a commit.
  Async<Result<void>> save_positions();

 private:
  struct Joined {
    StreamRow row;
    WriterStart start;
  };

  Streams& streams_;
  Committer& committer_;
  Reader reader_;
  const Session& session_;
  std::vector<Joined> joined_;  ///< in a transaction that may not be committed
  std::map<StreamKey, StreamId> saved_positions_;
  std::vector<WriterPositionRow> positions_before_;  ///< as of the last call
};

}  // namespace postrider
