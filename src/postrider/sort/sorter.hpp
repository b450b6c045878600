#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "postrider/runtime/async_mutex.hpp"
#include "postrider/runtime/gate.hpp"
#include "postrider/sort/interest.hpp"
#include "postrider/sort/room_state.hpp"
#include "postrider/store/inbox.hpp"
#include "postrider/stream/stream.hpp"

namespace prometheus {
class Counter;
}  // namespace prometheus

namespace postrider {

/// The sorter's view of who is registered and where decisions go. Lives above it.
class Inboxes {
 public:
  Inboxes() = default;
  Inboxes(const Inboxes&) = delete;
  Inboxes& operator=(const Inboxes&) = delete;
  virtual ~Inboxes() = default;

  /// Grows with every change of `interests`.
  [[nodiscard]] virtual std::uint64_t interest_version() const = 0;
  [[nodiscard]] virtual std::vector<ServiceInterest> interests() const = 0;
  /// The last entry of the service's inbox; empty when the service is gone.
  [[nodiscard]] virtual std::optional<InboxSeq> last_seq(ServiceKey service) const = 0;
  /// The block is on disk.
  virtual void add_to_inbox(ServiceKey service, const InboxBlock& block) = 0;
  /// Held from the reading of `last_seq` to the end of the commit that builds on it.
  virtual AsyncMutex& inbox_mutex() = 0;
};

struct SorterSettings {
  std::size_t facts_max = 10'000;  ///< decided in one commit
  std::string server_name;
};

struct SorterMetrics {
  prometheus::Counter& facts_sorted;
  prometheus::Counter& inbox_entries;
};

/// Reads one stream in linear order, decides interest in each fact once, and freezes the decision:
/// inbox blocks, room state and the sorter's position are one commit. A change of registrations
/// takes effect between two such commits, before any fact that was appended after the change was
/// answered. Engine thread.
class Sorter {
 public:
  Sorter(Runtime& runtime, Commits& commits, Reader reader, Stream& stream, Inboxes& inboxes,
         SorterSettings settings, SorterMetrics metrics, StreamId sorted_through);

  void start();
  /// Ends after the commit that is under way.
  Async<void> stop();

  [[nodiscard]] StreamId sorted_through() const { return sorted_through_; }

 private:
  using Matches = std::map<ServiceKey, std::vector<StreamId>>;
  struct Decisions;

  Async<void> run();
  Async<Result<void>> sort_next();
  Async<Result<void>> adopt_registrations();
  Decisions decide_all(const std::vector<Chunk>& chunks);
  void add_blocks(Decisions& decisions, const Matches& matches, WallTime appended_at) const;
  void publish(const Decisions& decisions);

  Runtime& runtime_;
  Commits& commits_;
  Reader reader_;
  Stream& stream_;
  Inboxes& inboxes_;
  SorterSettings settings_;
  SorterMetrics metrics_;
  StreamId sorted_through_;
  std::uint64_t adopted_version_ = 0;
  std::unique_ptr<InterestIndex> index_;
  std::unique_ptr<RoomState> rooms_;
  Gate gate_;
  Event stop_requested_;
  bool stopping_ = false;
};

}  // namespace postrider
