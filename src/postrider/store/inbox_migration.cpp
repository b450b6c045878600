#include "postrider/store/inbox_migration.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "postrider/base/varint.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/inbox.hpp"

namespace postrider {
namespace {

constexpr Statement states_sql{
    "SELECT service_key, acknowledged_seq, transaction_number, frozen_through_seq"
    " FROM delivery_states ORDER BY service_key"};
constexpr Statement old_blocks_sql{
    "SELECT first_seq, last_seq, stream_key, first_id, appended_at, positions FROM old_inbox_blocks"
    " WHERE service_key = $1 ORDER BY last_seq"};
constexpr Statement first_stream_sql{"SELECT MIN(stream_key) FROM streams"};

constexpr std::size_t positions_per_block = 1000;

struct OldState {
  ServiceKey service;
  std::int64_t acknowledged_seq = 0;
  TransactionNumber transaction;
  std::optional<std::int64_t> frozen_through_seq;
};

struct OldBlock {
  std::int64_t first_seq = 0;
  std::int64_t last_seq = 0;
  StreamKey stream;
  StreamId first_id;
  WallTime appended_at{};
  std::string distances;
};

Result<std::vector<OldState>> read_old_states(SqlConnection& connection) {
  std::vector<OldState> states;
  TRY_VOID(connection.execute(states_sql, {}, [&states](const SqlRow& row) {
    states.push_back({.service = ServiceKey{row.integer(0)},
                      .acknowledged_seq = row.integer(1),
                      .transaction = TransactionNumber{row.integer(2)},
                      .frozen_through_seq = std::nullopt});
    if (!row.is_null(3)) states.back().frozen_through_seq = row.integer(3);
  }));
  return states;
}

Result<std::vector<OldBlock>> read_old_blocks(SqlConnection& connection, ServiceKey service) {
  std::vector<OldBlock> blocks;
  TRY_VOID(connection.execute(old_blocks_sql, {service.value}, [&blocks](const SqlRow& row) {
    blocks.push_back({.first_seq = row.integer(0),
                      .last_seq = row.integer(1),
                      .stream = StreamKey{row.integer(2)},
                      .first_id = StreamId{row.integer(3)},
                      .appended_at = wall_time(row.integer(4)),
                      .distances = std::string(row.blob(5))});
  }));
  return blocks;
}

/// One service's old inbox, as it is split.
class Split {
 public:
  Split(SqlConnection& connection, const OldState& state)
      : connection_(connection), state_(state) {}

  Result<void> add(const OldBlock& block) {
    TRY(const auto positions, unpack(block));
    std::int64_t seq = block.first_seq;
    for (const StreamId id : positions) TRY_VOID(add_entry(block, seq++, id));
    return {};
  }

  Result<void> finish(std::optional<StreamKey> first_stream) {
    for (auto& [stream, rest] : streams_) TRY_VOID(write_block(stream, rest));
    const bool was_sent_something = state_.transaction.value > 0;
    if (streams_.empty() && was_sent_something && first_stream) streams_[*first_stream];
    if (streams_.empty()) return {};
    // Number and count are the service's: they go to one of its streams.
    const StreamKey holder =
        frozen_streams_.size() == 1 ? *frozen_streams_.begin() : streams_.begin()->first;
    streams_[holder].cursor.transaction = state_.transaction;
    streams_[holder].cursor.delivered = state_.acknowledged_seq;
    if (frozen_streams_.size() == 1) streams_[holder].cursor.frozen = {frozen_through_};
    for (const auto& [stream, rest] : streams_) {
      TRY_VOID(put_cursor(connection_, state_.service, stream, rest.cursor));
    }
    return {};
  }

 private:
  [[nodiscard]] Result<std::vector<StreamId>> unpack(const OldBlock& block) const {
    const auto damaged = [this, &block] {
      return fail(Code::storage_failed, "inbox entries {} to {} of service {} are damaged",
                  block.first_seq, block.last_seq, state_.service);
    };
    std::string_view distances = block.distances;
    std::vector<StreamId> positions = {block.first_id};
    const auto last = last_.find(block.stream);
    if (last != last_.end() && block.first_id <= last->second) return damaged();
    for (std::int64_t seq = block.first_seq; seq < block.last_seq; ++seq) {
      const auto distance = take_varint(distances);
      const auto room = std::numeric_limits<std::int64_t>::max() - positions.back().value;
      if (!distance || *distance >= static_cast<std::uint64_t>(room)) return damaged();
      positions.push_back(positions.back().plus(static_cast<std::int64_t>(*distance) + 1));
    }
    if (!distances.empty()) return damaged();
    return positions;
  }

  struct Rest {
    DeliveryCursor cursor;
    InboxBlock block;
  };

  Result<void> add_entry(const OldBlock& from, std::int64_t seq, StreamId id) {
    Rest& rest = streams_[from.stream];
    last_[from.stream] = id;
    if (seq <= state_.acknowledged_seq) {
      rest.cursor.acknowledged = id;
      return {};
    }
    if (state_.frozen_through_seq && seq <= *state_.frozen_through_seq) {
      frozen_streams_.insert(from.stream);
      frozen_through_ = id;
    }
    InboxBlock& block = rest.block;
    if (block.fact_count == 0) {
      block.first = id;
      block.appended_at = from.appended_at;
    } else {
      put_varint(block.positions, static_cast<std::uint64_t>(id.value - block.last.value - 1));
    }
    block.last = id;
    block.appended_at = std::min(block.appended_at, from.appended_at);
    ++block.fact_count;
    if (static_cast<std::size_t>(block.fact_count) < positions_per_block) return {};
    return write_block(from.stream, rest);
  }

  Result<void> write_block(StreamKey stream, Rest& rest) {
    if (rest.block.fact_count == 0) return {};
    TRY_VOID(insert_inbox_block(connection_, state_.service, stream, rest.block));
    rest.block = {};
    return {};
  }

  SqlConnection& connection_;
  const OldState& state_;
  std::map<StreamKey, Rest> streams_;
  std::map<StreamKey, StreamId> last_;  ///< position that was split
  std::set<StreamKey> frozen_streams_;
  StreamId frozen_through_;
};

}  // namespace

Result<void> split_inboxes(SqlConnection& connection) {
  std::optional<StreamKey> first_stream;
  TRY_VOID(connection.execute(first_stream_sql, {}, [&first_stream](const SqlRow& row) {
    if (!row.is_null(0)) first_stream = StreamKey{row.integer(0)};
  }));
  TRY(const auto states, read_old_states(connection));
  for (const OldState& state : states) {
    Split split(connection, state);
    TRY(const auto blocks, read_old_blocks(connection, state.service));
    for (const OldBlock& block : blocks) TRY_VOID(split.add(block));
    TRY_VOID(split.finish(first_stream));
  }
  return {};
}

}  // namespace postrider
