#pragma once

#include "postrider/api/http/message.hpp"
#include "postrider/stream/stream.hpp"

namespace postrider {

/// From where a reader wants to read, and what it must see.
struct ReadPlace {
  PositionVector after;
  std::optional<PositionVector> at_least;
};

/// `after` is the token in Last-Event-ID or the parameter `after`; without one, what retention has
/// dropped. Errors: `invalid_argument`, `position_gone`.
Result<ReadPlace> read_place(const Stream& stream, const HttpServerRequest& request);

/// Waits until the stream has reached `after`, which other processes may have given out, and
/// `at_least`. `deadline`, and nothing was read, when it has not by `until`, or when the reader has
/// given up: a token from beyond the end would else pass over what is appended next.
Async<Result<void>> wait_for_place(Stream* stream, ReadPlace place, MonoTime until,
                                   const bool* is_given_up);

/// Facts after some place.
struct StreamPage {
  std::vector<Chunk> chunks;
  PositionVector after;
  PositionVector upto;
  PositionVector through;  ///< where to go on
  /// What follows, if that cannot be read.
  std::optional<UnreadableFacts> unreadable = std::nullopt;

  /// Where to go on after this fact of it.
  [[nodiscard]] PositionVector after_fact(StreamId id) const {
    return after.joined(upto.clipped(id));
  }
};

/// What there is now: in linear order, and of writers that are ahead as much as `at_least` names.
/// On the engine thread.
Async<Result<StreamPage>> read_stream(Stream* stream, ReadPlace place, std::size_t facts_max);

}  // namespace postrider
