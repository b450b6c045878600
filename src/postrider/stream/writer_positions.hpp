#pragma once

#include <map>
#include <optional>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/stream/position_vector.hpp"
#include "postrider/stream/reservations.hpp"

// Each writer has a current position: all of its IDs at or below are completed or abandoned. The
// linear position is that of the slowest live writer, and goes on over IDs that are known to be
// completed. Three sources move it: updates of writers, lists of all writers from the database, and
// commits of this process. A writer counts until a list shows that its session has ended, and its
// position in the same list is all that it will ever have.
//
// Faults. Updates may be lost, late, repeated or reordered: positions only rise, so each is applied
// by maximum. A list may be older than an update; it is ignored if its newest session is older than
// that of the last list. A session that is in no list yet stops the linear position, since its
// writer may hold IDs below.

namespace postrider {

/// The writers of a stream and how far each has come, as the database says at one moment.
struct WriterList {
  struct Writer {
    InstanceKey instance;
    StreamId position;
    bool is_live = false;  ///< its session has not ended
  };
  /// The last session that had begun. Counts up whenever there may be a new writer.
  SessionKey newest_session;
  std::vector<Writer> writers;
  /// No writer that is not listed, because it was forgotten, has come further.
  StreamId largest_position = {};
};

/// What one process knows of the positions of all writers of a stream, and the linear position
/// that follows: the largest ID such that all IDs at or below it are completed, abandoned or void.
///
/// Why the linear position never passes a new writer: its IDs are drawn after its session has
/// begun, and whoever draws larger ones looks up the newest session after that and before it
/// announces them. So whatever announces a larger ID names the session too, and the linear position
/// stands still until the list was read again.
class WriterPositions {
 public:
  /// `linear`: every ID at or below it is finished.
  explicit WriterPositions(StreamId linear) : linear_(linear), slowest_(linear) {}

  /// Applies what the database says. Lists that are older than the last one change nothing.
  void apply_list(const WriterList& list);
  /// True when one that was live is not listed any more: its last position was in no list.
  [[nodiscard]] bool has_forgotten(const WriterList& list) const;
  /// A writer has announced its position. `newest_session`: of those it knew. Such announcements
  /// may come in any order, and twice.
  void advance(InstanceKey writer, StreamId position, SessionKey newest_session);
  /// A session has begun. Called before anything that follows from IDs that were drawn after it.
  void observe_session(SessionKey newest_session);
  /// Everything at or below is known to be finished.
  void advance_linear_to(StreamId linear);
  /// Facts are known to be committed under these IDs.
  void complete(IdRange ids);

  [[nodiscard]] StreamId linear() const { return linear_; }
  /// Everything of the writer at or below is finished.
  [[nodiscard]] StreamId of(InstanceKey writer) const;
  /// The last position of the writer itself that is known; empty when none is.
  [[nodiscard]] std::optional<StreamId> announced_by(InstanceKey writer) const;
  [[nodiscard]] PositionVector vector() const;
  /// The same from the positions of the writers alone, without what follows from completed IDs:
  /// other processes have reached it as soon as they have got the same announcements.
  [[nodiscard]] PositionVector announced() const;
  /// True when a session has begun that the last list does not have: the linear position stands
  /// still until a newer list is applied.
  [[nodiscard]] bool needs_list() const { return newest_session_ > listed_session_; }
  /// The newest session that is known of.
  [[nodiscard]] SessionKey newest_session() const { return newest_session_; }

 private:
  struct Writer {
    StreamId position;
    bool is_live = false;
  };
  void advance_linear();
  [[nodiscard]] PositionVector::Ahead ahead() const;

  StreamId linear_;
  StreamId slowest_;  ///< position of the slowest writer
  SessionKey listed_session_;
  SessionKey newest_session_;
  /// Those that are live, and those that were and are ahead.
  std::map<InstanceKey, Writer> writers_;
  std::map<StreamId, StreamId> completed_;  ///< ranges above the linear position, first to last
};

}  // namespace postrider
