#pragma once

#include <map>
#include <optional>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/stream/position_vector.hpp"
#include "postrider/stream/reservations.hpp"

namespace postrider {

/// Who writes to a stream and how far each has come, as the database says at one moment.
struct WriterList {
  struct Writer {
    InstanceKey instance;
    StreamId position;
    bool is_live = false;  ///< its session has not ended
  };
  /// The last session that had begun. Counts up whenever there may be a new writer.
  SessionKey newest_session;
  std::vector<Writer> writers;
};

/// What one process knows of the positions of all writers of a stream, and the linear position
/// that follows: the largest ID such that all IDs at or below it are completed, abandoned or void.
///
/// Why a new writer is never passed by: its IDs are drawn after its session has begun, and whoever
/// draws larger ones looks up the newest session after that and before it speaks of them. So
/// whatever tells of a larger ID tells of the session too, and the linear position stands until
/// the list was read again.
class WriterPositions {
 public:
  /// `linear`: every ID at or below it is finished.
  explicit WriterPositions(StreamId linear) : linear_(linear), slowest_(linear) {}

  /// Takes what the database says. Older lists than the last one change nothing.
  void adopt(const WriterList& list);
  /// Hears from a writer. `newest_session` is what its words rest upon. Nothing is assumed about
  /// the order of such words.
  void advance(InstanceKey writer, StreamId position, SessionKey newest_session);
  /// A session has begun. To be said before anything that is told of IDs that were drawn after it.
  void hear_of(SessionKey newest_session);
  /// Everything at or below is known to be finished.
  void reach(StreamId linear);
  /// Facts are known to be committed under these IDs.
  void complete(IdRange ids);

  [[nodiscard]] StreamId linear() const { return linear_; }
  [[nodiscard]] StreamId of(InstanceKey writer) const;
  /// The last that was heard of the writer itself; empty when nothing was.
  [[nodiscard]] std::optional<StreamId> heard_of(InstanceKey writer) const;
  [[nodiscard]] PositionVector vector() const;
  /// The same from the positions of the writers alone, without what follows from completed IDs:
  /// others have reached it as soon as they have heard the same words.
  [[nodiscard]] PositionVector heard() const;
  /// True when a writer spoke of a session that the last list does not have: the linear position
  /// stands still until a newer one is adopted.
  [[nodiscard]] bool lacks_list() const { return heard_session_ > known_session_; }
  /// The newest session that was heard of.
  [[nodiscard]] SessionKey newest_session() const { return heard_session_; }

 private:
  struct Writer {
    StreamId position;
    bool is_live = false;
  };
  void advance_linear();
  [[nodiscard]] PositionVector::Ahead ahead() const;

  StreamId linear_;
  StreamId slowest_;  ///< position of the slowest writer
  SessionKey known_session_;
  SessionKey heard_session_;
  /// Those that are live, and those that were and are ahead.
  std::map<InstanceKey, Writer> writers_;
  std::map<StreamId, StreamId> completed_;  ///< ranges above the linear position, first to last
};

}  // namespace postrider
