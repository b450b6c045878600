#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "postrider/sort/compaction.hpp"
#include "postrider/sort/positions.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/inbox.hpp"
#include "postrider/store/streams.hpp"
#include "postrider/store/testing/plain_service.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {

/// Decisions over a real database file, in virtual time. The test stands in for the sorter.
class DecisionWorld : public StreamWorld {
 protected:
  using Positions = std::vector<std::int64_t>;

  DecisionWorld() { load_decisions(); }

  /// What the database holds, as at a start.
  void load_decisions() {
    tails = std::make_unique<DecisionTails>(runtime);
    EXPECT_TRUE(tails->load(read_decisions(*reader).value()));
  }

  StreamKey add_stream_row(const std::string& name) {
    return put_stream(*writer, name, format->name(), runtime.wall_now()).value().key;
  }
  ServiceKey add_service_row(const std::string& id) {
    return insert_plain_service(*writer, id, runtime.wall_now());
  }

  static std::vector<StreamId> ids(const Positions& positions) {
    return {positions.begin(), positions.end()};
  }
  static Positions numbers(const std::vector<StreamId>& ids) {
    Positions numbers;
    for (const StreamId id : ids) numbers.push_back(id.value);
    return numbers;
  }
  /// All from `first` to `last`.
  static Positions run_of(std::int64_t first, std::int64_t last) {
    Positions positions;
    for (std::int64_t at = first; at <= last; ++at) positions.push_back(at);
    return positions;
  }

  /// A row of decisions on what follows the last one, up to the last position in `groups`.
  void decide(StreamKey of, std::vector<std::pair<ServiceSet, Positions>> groups) {
    decide(of, std::move(groups), runtime.wall_now());
  }
  void decide(StreamKey of, std::vector<std::pair<ServiceSet, Positions>> groups,
              WallTime appended_at) {
    DecisionTail& tail = tails->of(of);
    DecisionRow row{.after = tail.end(), .through = {}, .appended_at = appended_at, .data = {}};
    std::vector<DecisionGroup> packed;
    for (auto& [services, positions] : groups) {
      std::ranges::sort(services);
      row.through = std::max(row.through, StreamId{positions.back()});
      row.entries += std::ssize(services) * std::ssize(positions);
      packed.push_back({services, ids(positions)});
    }
    row.data = pack_decisions(row.after, packed);
    auto apply = [&](SqlConnection& connection) -> Result<void> {
      TRY_VOID(insert_decisions(connection, of, row));
      return set_sorted_through(connection, of, row.through, 0);
    };
    EXPECT_TRUE(run(committer->commit(apply)));
    tail.add(std::move(row));
  }

  /// The oldest row goes into blocks.
  Result<void> fold_oldest(StreamKey of) {
    Compaction compaction(runtime, *committer, *tails, {.step_cost = 1});
    TRY_VOID(run(compaction.fold_step(of, {})));
    return {};
  }
  /// Every row does.
  void fold_all(StreamKey of) {
    while (!tails->of(of).rows().empty()) ASSERT_TRUE(fold_oldest(of));
  }

  /// The service has everything up to there, and its blocks are dropped.
  void acknowledge(ServiceKey service, StreamKey of, std::int64_t through,
                   std::int64_t delivered = 0) {
    const DeliveryCursor cursor{.acknowledged = StreamId{through},
                                .transaction = TransactionNumber{1},
                                .frozen = {},
                                .delivered = delivered};
    auto apply = [&](SqlConnection& connection) -> Result<void> {
      TRY_VOID(put_cursor(connection, service, of, cursor));
      return drop_inbox_blocks(connection, service, of, cursor.acknowledged);
    };
    EXPECT_TRUE(run(committer->commit(apply)));
  }

  /// The blocks of the service, and the positions in them.
  std::vector<InboxBlock> blocks_of(ServiceKey service, StreamKey of) {
    return read_inbox_blocks(*reader, service, of, StreamId{0}, 1'000'000).value();
  }
  std::vector<Positions> folded(ServiceKey service, StreamKey of) {
    std::vector<Positions> folded;
    for (const InboxBlock& block : blocks_of(service, of)) {
      auto positions = positions_in(block).value();
      folded.push_back(numbers(positions));
    }
    return folded;
  }

  std::unique_ptr<DecisionTails> tails;
};

}  // namespace postrider
