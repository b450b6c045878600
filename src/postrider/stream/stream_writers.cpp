#include "postrider/stream/stream_writers.hpp"

#include <algorithm>
#include <utility>

#include "postrider/store/blocks.hpp"
#include "postrider/store/stream_ids.hpp"

namespace postrider {
namespace {

/// The largest position that any writer has in the stream.
StreamId largest_position(const StoredSessions& stored, StreamKey stream) {
  StreamId largest;
  for (const WriterPositionRow& row : stored.positions) {
    if (row.stream == stream) largest = std::max(largest, row.position);
  }
  return largest;
}

StreamId position_in(const std::vector<WriterPositionRow>& rows, StreamKey stream,
                     InstanceKey instance) {
  const auto is_it = [stream, instance](const WriterPositionRow& row) {
    return row.stream == stream && row.instance == instance;
  };
  const auto found = std::ranges::find_if(rows, is_it);
  // A writer that is live and has no position yet may hold any ID.
  return found == rows.end() ? StreamId{} : found->position;
}

/// `positions`: of the writers that are live. Those that are not will never have others than the
/// stored ones.
WriterList writers_of(const StoredSessions& stored, StreamKey stream,
                      const std::vector<WriterPositionRow>& positions) {
  WriterList list{stored.newest, {}, largest_position(stored, stream)};
  for (const SessionRow& session : stored.sessions) {
    const auto& rows = session.is_live() ? positions : stored.positions;
    list.writers.push_back(
        {session.instance, position_in(rows, stream, session.instance), session.is_live()});
  }
  return list;
}

}  // namespace

Result<WriterStart> join_as_writer(SqlConnection& connection, const StreamRow& row,
                                   InstanceKey instance, StreamId used) {
  TRY(const auto stored, last_stored_id(connection, row.key));
  used = std::max({used, row.dropped_through, row.sorted_through, stored.value_or(StreamId{})});
  TRY(const StreamId allocated, prepare_ids(connection, row.key, used));
  TRY_VOID(put_writer_position(connection, {row.key, instance, allocated}));
  TRY(const SessionKey newest, read_newest_session(connection));
  return WriterStart{allocated, newest};
}

Result<void> StreamWriters::join_all(SqlConnection& connection, InstanceKey instance,
                                     const StoredSessions& stored) {
  TRY(const auto rows, read_streams(connection));
  joined_.clear();
  for (const StreamRow& row : rows) {
    TRY(const WriterStart start,
        join_as_writer(connection, row, instance, largest_position(stored, row.key)));
    joined_.push_back({row, start});
  }
  return {};
}

void StreamWriters::on_session_begun() {
  saved_positions_.clear();
  for (const Joined& stream : std::exchange(joined_, {})) {
    streams_.join(stream.row, stream.start);
    saved_positions_[stream.row.key] = stream.start.allocated;
  }
}

Async<Result<void>> StreamWriters::join_new_streams(const StoredSessions* stored) {
  auto read = [this] { return read_streams(reader_.connection); };
  CO_TRY(const auto rows, co_await run_on(reader_.lane, read));
  for (const StreamRow& row : rows) {
    if (Stream* const known = streams_.find(row.key)) {
      known->set_dropped_through(row.dropped_through);
      continue;
    }
    WriterStart start;
    const StreamId used = largest_position(*stored, row.key);
    std::function<Result<void>(SqlConnection&)> apply =
        [this, &row, &start, used](SqlConnection& connection) -> Result<void> {
      TRY(start, join_as_writer(connection, row, session_.instance(), used));
      return {};
    };
    CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
    saved_positions_[row.key] = start.allocated;
    if (streams_.find(row.key) == nullptr) streams_.join(row, start);
  }
  co_return Result<void>{};
}

void StreamWriters::apply_positions(const StoredSessions& stored, bool are_announced) {
  for (Stream* const stream : streams_.all()) {
    const bool use_before = are_announced && !stream->needs_writer_list();
    const auto& positions = use_before ? positions_before_ : stored.positions;
    stream->apply_writer_list(writers_of(stored, stream->key(), positions));
  }
  positions_before_ = stored.positions;
}

Async<Result<void>> StreamWriters::save_positions() {
  std::vector<WriterPositionRow> rows;
  for (Stream* const stream : streams_.all()) {
    const StreamId position = stream->own_position();
    if (position <= saved_positions_[stream->key()]) continue;
    rows.push_back({stream->key(), session_.instance(), position});
  }
  if (rows.empty()) co_return Result<void>{};
  std::function<Result<void>(SqlConnection&)> apply =
      [&rows](SqlConnection& connection) -> Result<void> {
    for (const WriterPositionRow& row : rows) TRY_VOID(put_writer_position(connection, row));
    return {};
  };
  CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
  for (const WriterPositionRow& row : rows) saved_positions_[row.stream] = row.position;
  co_return Result<void>{};
}

}  // namespace postrider
