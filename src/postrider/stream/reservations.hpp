#pragma once

#include <map>
#include <set>
#include <span>

#include "postrider/base/id_range.hpp"

namespace postrider {

/// The stream IDs that one writer has reserved, and its current position: the largest ID such that
/// all of its IDs at or below are completed or abandoned. IDs come from a sequence that all writers
/// share and that only grows. One thread.
class Reservations {
 public:
  /// `allocated`: no ID that this writer will reserve is at or below it.
  explicit Reservations(StreamId allocated) : allocated_(allocated), position_(allocated) {}

  /// IDs are about to be drawn. Until `end_draw` with what this gives the position cannot pass what
  /// is allocated now, since IDs that were drawn may be known to others before they are known here.
  StreamId begin_draw();
  /// `ids` are this writer's until each of them is completed or abandoned. None when the drawing
  /// failed.
  void end_draw(StreamId begun, std::span<const IdRange> ids);

  /// Facts are committed under these. A part of what was reserved at once may end alone.
  void complete(IdRange ids) { finish(ids); }
  /// These are never to be used.
  void abandon(IdRange ids) { finish(ids); }

  /// Some writer has drawn this ID.
  void observe_allocated(StreamId allocated);

  [[nodiscard]] StreamId position() const { return position_; }
  /// The largest ID that is known to have been drawn by anybody.
  [[nodiscard]] StreamId allocated() const { return allocated_; }

 private:
  void finish(IdRange ids);
  void advance();

  StreamId allocated_;
  StreamId position_;
  std::multiset<StreamId> draws_;      ///< what was allocated when each of them began
  std::map<StreamId, StreamId> open_;  ///< first to last
};

}  // namespace postrider
