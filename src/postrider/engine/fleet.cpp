#include "postrider/engine/fleet.hpp"

#include <algorithm>
#include <limits>

#include "postrider/base/log.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/store/leases.hpp"
#include "postrider/store/stream_ids.hpp"

namespace postrider {
namespace {

constexpr std::string_view delivery_lease = "delivery";
constexpr Duration look_spacing = std::chrono::milliseconds{5};

struct Joined {
  StreamRow row;
  WriterStart start;
};

/// The largest position that anybody has in the stream.
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
  // Who lives and has no position yet may hold any ID.
  return found == rows.end() ? StreamId{} : found->position;
}

/// `positions`: of those that live; what the others have is all there ever will be.
WriterList writers_of(const StoredSessions& stored, StreamKey stream,
                      const std::vector<WriterPositionRow>& positions) {
  WriterList list{stored.newest, {}};
  for (const SessionRow& session : stored.sessions) {
    const auto& rows = session.is_live ? positions : stored.positions;
    list.writers.push_back(
        {session.instance, position_in(rows, stream, session.instance), session.is_live});
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

/// What the database said at one moment.
struct Fleet::Seen {
  StoredSessions stored;
  std::vector<StreamRow> streams;
  SessionKey deliverer;

  [[nodiscard]] const SessionRow* live(SessionKey session) const {
    const auto is_it = [session](const SessionRow& row) {
      return row.is_live && row.session == session;
    };
    const auto found = std::ranges::find_if(stored.sessions, is_it);
    return found == stored.sessions.end() ? nullptr : &*found;
  }
};

Fleet::Fleet(const EnginePorts& ports, Committer& committer, Session& session,
             FleetSettings settings, FleetMember& member)
    : ports_(ports),
      committer_(committer),
      session_(session),
      settings_(std::move(settings)),
      member_(member),
      silence_(settings_.session_interval),
      wake_(ports.runtime),
      gate_(ports.runtime) {}

Async<Result<void>> Fleet::start() {
  CO_TRY_VOID(co_await look());
  gate_.spawn(run(), "fleet");
  co_return Result<void>{};
}

Async<void> Fleet::stop() {
  stopping_ = true;
  look_soon();
  co_await gate_.drained();
  if (session_.has_ended()) co_return;
  const WallTime now = ports_.runtime.wall_now();
  std::function<Result<void>(SqlConnection&)> apply = [this, now](SqlConnection& connection) {
    return end_session(connection, session_.instance(), session_.key(), now);
  };
  const Result<void> ended = co_await committer_.commit(std::move(apply));
  if (!ended) log_warn("ending the session: {}", ended.error().detail);
}

Async<void> Fleet::run() {
  while (!stopping_) {
    co_await rest();
    if (stopping_) co_return;
    const Result<void> looked = co_await look();
    const std::string failure = looked ? "" : looked.error().detail;
    if (!looked) silence_.interrupt();
    if (!looked && failure != last_failure_) log_warn("fleet: {}", failure);
    last_failure_ = failure;
  }
}

void Fleet::look_soon() {
  is_look_wanted_ = true;
  wake_.notify_all();
}

Async<void> Fleet::rest() {
  const MonoTime now = ports_.runtime.now();
  if (!is_look_wanted_) {
    const Duration pause =
        member_.hears_others() ? settings_.session_interval / 5 : settings_.poll_interval;
    co_await wake_.wait_until(now + pause);
  }
  // Those who want it come together.
  if (is_look_wanted_) co_await wake_.wait_until(now + look_spacing);
  is_look_wanted_ = false;
}

Async<Result<void>> Fleet::look() {
  if (session_.has_ended()) {
    member_.end_delivery();
    const SessionKey ended = session_.key();
    CO_TRY_VOID(co_await begin());
    if (ended != SessionKey{}) {
      log_warn("session {} had ended: others heard nothing of this process for too long", ended);
    }
  }
  CO_TRY_VOID(co_await beat());
  auto work = [this]() -> Result<Seen> {
    Seen seen;
    TRY(seen.stored, read_sessions(ports_.background.connection));
    TRY(seen.streams, read_streams(ports_.background.connection));
    TRY(seen.deliverer, read_lease(ports_.background.connection, delivery_lease));
    return seen;
  };
  CO_TRY(const Seen seen, co_await run_on(ports_.background.lane, work));
  if (seen.live(session_.key()) == nullptr) {
    session_.on_ended();
    member_.end_delivery();
    co_return Result<void>{};
  }
  CO_TRY_VOID(co_await join_new_streams(&seen));
  adopt(seen);
  CO_TRY_VOID(co_await save_positions());
  CO_TRY_VOID(co_await end_silent(&seen));
  co_return co_await hold_delivery(&seen);
}

Async<Result<void>> Fleet::begin() {
  co_await committer_.drained();
  const MonoTime before = ports_.runtime.now();
  const WallTime now = ports_.runtime.wall_now();
  const std::string fleet =
      fmt::format("{:016x}", ports_.runtime.random(std::numeric_limits<std::uint64_t>::max()));
  BegunSession begun;
  std::vector<Joined> joined;
  auto work = [this, now, &fleet, &begun, &joined]() -> Result<void> {
    SqlConnection& connection = ports_.writer.connection;
    return transact(connection, [&]() -> Result<void> {
      TRY(begun, begin_session(connection, session_.instance_name(), now));
      TRY_VOID(name_fleet(connection, fleet));
      TRY(const StoredSessions stored, read_sessions(connection));
      TRY(const auto rows, read_streams(connection));
      joined.clear();
      for (const StreamRow& row : rows) {
        TRY(const WriterStart start,
            join_as_writer(connection, row, begun.instance, largest_position(stored, row.key)));
        joined.push_back({row, start});
      }
      return {};
    });
  };
  CO_TRY_VOID(co_await run_on(ports_.writer.lane, work));
  session_.on_begun(begun, before);
  saved_positions_.clear();
  for (const Joined& stream : joined) {
    member_.join_stream(stream.row, stream.start);
    saved_positions_[stream.row.key] = stream.start.allocated;
  }
  log_info("session {} of instance {} has begun", session_.key(), session_.instance_name());
  co_return Result<void>{};
}

/// Others take silence for death.
Async<Result<void>> Fleet::beat() {
  if (ports_.runtime.now() - session_.last_heartbeat() < settings_.session_interval / 2) {
    co_return Result<void>{};
  }
  std::function<Result<void>(SqlConnection&)> nothing = [](SqlConnection&) -> Result<void> {
    return {};
  };
  co_return co_await committer_.commit(std::move(nothing));
}

Async<Result<void>> Fleet::join_new_streams(const Seen* seen) {
  for (const StreamRow& row : seen->streams) {
    if (Stream* const known = member_.find_stream(row.key)) {
      known->set_dropped_through(row.dropped_through);
      continue;
    }
    WriterStart start;
    const StreamId used = largest_position(seen->stored, row.key);
    std::function<Result<void>(SqlConnection&)> apply =
        [this, &row, &start, used](SqlConnection& connection) -> Result<void> {
      TRY(start, join_as_writer(connection, row, session_.instance(), used));
      return {};
    };
    CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
    saved_positions_[row.key] = start.allocated;
    if (member_.find_stream(row.key) == nullptr) member_.join_stream(row, start);
  }
  co_return Result<void>{};
}

void Fleet::adopt(const Seen& seen) {
  member_.adopt_sessions(seen.stored);
  for (Stream* const stream : member_.streams()) {
    // What the database says now is under way on the bus too, and comes with its facts.
    const bool will_hear = member_.hears_others() && !stream->lacks_writers();
    const auto& positions = will_hear ? positions_before_ : seen.stored.positions;
    stream->adopt(writers_of(seen.stored, stream->key(), positions));
  }
  positions_before_ = seen.stored.positions;
}

/// So that those who hear of this writer from the database alone do not wait for it.
Async<Result<void>> Fleet::save_positions() {
  std::vector<WriterPositionRow> rows;
  for (Stream* const stream : member_.streams()) {
    const StreamId position = stream->own_position();
    if (position <= saved_positions_[stream->key()]) continue;
    rows.push_back({stream->key(), session_.instance(), position});
  }
  if (rows.empty()) co_return Result<void>{};
  std::function<Result<void>(SqlConnection&)> apply =
      [&rows](SqlConnection& connection) -> Result<void> {
    for (const WriterPositionRow& row : rows) {
      TRY_VOID(put_writer_position(connection, row));
    }
    return {};
  };
  CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
  for (const WriterPositionRow& row : rows) saved_positions_[row.stream] = row.position;
  co_return Result<void>{};
}

Async<Result<void>> Fleet::end_silent(const Seen* seen) {
  const auto silent = silence_.observe(seen->stored.sessions, ports_.runtime.now());
  for (const SessionRow& row : silent) {
    if (row.session == session_.key()) continue;
    bool ended = false;
    const WallTime now = ports_.runtime.wall_now();
    std::function<Result<void>(SqlConnection&)> apply =
        [&row, &ended, now](SqlConnection& connection) -> Result<void> {
      TRY(ended, end_silent_session(connection, row, now));
      return {};
    };
    CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
    if (ended)
      log_warn("instance {} was silent for too long: ended its session {}", row.instance_name,
               row.session);
  }
  co_return Result<void>{};
}

Async<Result<void>> Fleet::hold_delivery(const Seen* seen) {
  const SessionRow* const holder = seen->live(seen->deliverer);
  delivering_ = holder == nullptr ? "" : holder->instance_name;
  bool is_held = seen->deliverer == session_.key();
  if (holder == nullptr && member_.can_deliver()) {
    const SessionKey from = seen->deliverer;
    const SessionKey to = session_.key();
    std::function<Result<void>(SqlConnection&)> apply =
        [&is_held, from, to](SqlConnection& connection) -> Result<void> {
      TRY(is_held, take_lease(connection, delivery_lease, from, to));
      return {};
    };
    CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
    if (is_held) delivering_ = session_.instance_name();
  }
  if (is_held && member_.can_deliver()) co_return co_await member_.begin_delivery();
  co_return Result<void>{};
}

}  // namespace postrider
