#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "postrider/base/time.hpp"
#include "postrider/sort/interest.hpp"
#include "postrider/store/sql.hpp"
#include "postrider/stream/chunk_cache.hpp"

namespace postrider {

/// What one commit decides on facts of a stream.
struct DecidedFacts {
  StreamKey stream;
  const std::string& stream_name;
  std::span<const Chunk> chunks;                                 ///< that hold the facts
  const std::map<ServiceKey, std::vector<StreamId>>& positions;  ///< that each service gets
  std::size_t& transactions_left;  ///< that the commit may still freeze
};

/// What follows from decisions for those who get the facts, in the same commit. Engine thread, but
/// for `apply`.
class InboxWrite {
 public:
  InboxWrite() = default;
  InboxWrite(const InboxWrite&) = delete;
  InboxWrite& operator=(const InboxWrite&) = delete;
  virtual ~InboxWrite() = default;

  /// On the committer's lane, in the transaction. Called again when that is tried again.
  virtual Result<void> apply(SqlConnection& connection) = 0;
  /// When the transaction has ended: whether decisions, and what `apply` wrote, are on disk. If
  /// so, the inboxes have got the facts.
  virtual void finish(bool is_committed) = 0;
};

/// The sorter's view of who is registered and where decisions go. Lives above it. Engine thread.
class Inboxes {
 public:
  Inboxes() = default;
  Inboxes(const Inboxes&) = delete;
  Inboxes& operator=(const Inboxes&) = delete;
  virtual ~Inboxes() = default;

  /// Grows with every change of `interests`.
  [[nodiscard]] virtual std::uint64_t interest_version() const = 0;
  /// In order of service.
  [[nodiscard]] virtual std::vector<ServiceInterest> interests() const = 0;

  /// A commit that carries these decisions is being prepared. What is returned goes into it; null:
  /// nothing.
  virtual std::unique_ptr<InboxWrite> prepare_inboxes(const DecidedFacts& decided) = 0;

  /// The service gets the facts at `positions`, which rise, and follow what it got before. That is
  /// on disk. `appended_at`: of the oldest of them, or a little before. Changes nothing when the
  /// service is gone.
  virtual void add_to_inbox(ServiceKey service, StreamKey stream,
                            std::span<const StreamId> positions, WallTime appended_at) = 0;
};

}  // namespace postrider
