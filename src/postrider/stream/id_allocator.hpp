#pragma once

#include <optional>
#include <vector>

#include "postrider/store/stream_ids.hpp"
#include "postrider/stream/reservations.hpp"

// A commit reserves IDs for all of its facts before it is tried: first what is left of the last
// draw, then newly drawn ones, at least `ids_per_draw` at a time. After the commit those that
// carry facts are completed, and the rest is kept for the next commit, or abandoned once another
// writer has drawn larger ones: it waits for the position of this one.
//
// Faults. None of the IDs of a failed commit carries a fact, and all of them are such a rest. A
// draw whose answer is lost leaves a hole, which no writer holds. IDs from memory that were given
// up come again after a restart, so the position of a writer without others follows completed IDs
// only. While a draw is under way the position stays below it (`Reservations`).

namespace postrider {

/// The stream IDs of one commit: what was left over, and what is drawn for it.
struct Reservation {
  std::vector<IdRange> ids;
  std::int64_t to_draw = 0;      ///< how many more are needed
  std::optional<StreamId> draw;  ///< the drawing, while it is not ended
  std::vector<IdRange> drawn;    ///< its result
};

/// Walks over the IDs of a reservation.
class IdCursor {
 public:
  explicit IdCursor(const Reservation& reservation);
  /// The next `count` IDs, in as few ranges as they are. There are that many left.
  std::vector<IdRange> next(std::int64_t count);

 private:
  std::vector<IdRange> left_;  ///< the next one last
};

/// Allocates the stream IDs of one process: from memory when it writes alone, else from the
/// sequence that it shares with others. Engine thread; one reservation at a time.
class IdAllocator {
 public:
  enum class Source { memory, sequence };
  /// `allocated`: every ID that was ever given out is at or below it.
  IdAllocator(Source source, StreamId allocated);

  /// IDs for `count` facts: `to_draw` of them are still to be drawn from the sequence, into
  /// `drawn`, before they are used. The reservation before is finished.
  Reservation reserve(std::int64_t count);
  /// The first `used` of its IDs carry facts that are committed; the others are abandoned, or kept
  /// for the next reservation when nobody can hold a larger one.
  void finish(const Reservation& reservation, std::int64_t used);

  /// Some writer has drawn this ID.
  void observe_allocated(StreamId allocated);
  /// The current position of this writer.
  [[nodiscard]] StreamId position() const;

 private:
  void keep_or_abandon(IdRange rest);

  Source source_;
  Reservations reservations_;
  StreamId completed_;            ///< with memory as the source: the last that was
  std::optional<IdRange> spare_;  ///< drawn and not yet used
  bool is_reserved_ = false;
};

}  // namespace postrider
