#include "postrider/lease/membership.hpp"

#include <algorithm>
#include <limits>
#include <ranges>
#include <set>

#include "postrider/base/log.hpp"
#include "postrider/base/quantity.hpp"
#include "postrider/store/leases.hpp"

namespace postrider {
namespace {

// Polls that are wanted at about the same time are one.
constexpr Duration poll_spacing = std::chrono::milliseconds{5};

/// How many instances one poll forgets at most: they are in one commit, for which others wait.
constexpr std::size_t forgotten_per_poll = 10;

/// The largest position in each stream of the writers whose session has not ended.
std::map<StreamKey, StreamId> live_positions(const StoredSessions& stored) {
  std::set<InstanceKey> live;
  for (const SessionRow& row : stored.sessions) {
    if (row.is_live()) live.insert(row.instance);
  }
  std::map<StreamKey, StreamId> largest;
  for (const WriterPositionRow& row : stored.positions) {
    if (!live.contains(row.instance)) continue;
    StreamId& known = largest[row.stream];
    known = std::max(known, row.position);
  }
  return largest;
}

}  // namespace

const SessionRow* MembershipSnapshot::find_live(SessionKey session) const {
  const auto is_it = [session](const SessionRow& row) {
    return row.is_live() && row.session == session;
  };
  const auto found = std::ranges::find_if(stored.sessions, is_it);
  return found == stored.sessions.end() ? nullptr : &*found;
}

Membership::Membership(Runtime& runtime, Reader writer, Reader background, Committer& committer,
                       Session& session, FleetSettings settings, std::string_view lease,
                       Listener& listener)
    : runtime_(runtime),
      writer_(writer),
      background_(background),
      committer_(committer),
      session_(session),
      settings_(std::move(settings)),
      configured_interval_(settings_.session_interval),
      lease_(lease),
      listener_(listener),
      failures_(settings_.session_interval),
      wake_(runtime),
      stop_requested_(runtime),
      gate_(runtime),
      heartbeat_gate_(runtime) {}

Async<Result<void>> Membership::start() {
  heartbeat_gate_.spawn(keep_session(), "heartbeat");
  CO_TRY_VOID(co_await poll_membership());
  gate_.spawn(run(), "membership");
  co_return Result<void>{};
}

Async<void> Membership::stop() {
  stopping_ = true;
  poll_soon();
  co_await gate_.drained();
  // A poll that is under way still needs the session.
  is_heart_stopping_ = true;
  stop_requested_.notify_all();
  co_await heartbeat_gate_.drained();
  if (session_.has_ended()) co_return;
  const WallTime now = runtime_.wall_now();
  std::function<Result<void>(SqlConnection&)> apply = [this, now](SqlConnection& connection) {
    return end_session(connection, session_.instance(), session_.key(), now);
  };
  const Result<void> ended = co_await committer_.commit(std::move(apply));
  if (!ended) {
    log_warn("fleet: session {} could not be ended, and others wait until it expires: {}",
             session_.key(), ended.error().detail);
  }
}

Async<void> Membership::run() {
  while (!stopping_) {
    co_await wait_for_next_poll();
    if (stopping_) co_return;
    const Result<void> polled = co_await poll_membership();
    const std::string error = polled ? "" : polled.error().detail;
    if (!polled) failures_.reset();
    if (!polled && error != last_error_) {
      log_warn("fleet: the database could not be polled, which is tried again: {}", error);
    }
    last_error_ = error;
  }
}

void Membership::poll_soon() {
  is_poll_wanted_ = true;
  wake_.notify_all();
}

Async<void> Membership::wait_for_next_poll() {
  const MonoTime now = runtime_.now();
  if (!is_poll_wanted_) {
    const Duration pause = listener_.are_changes_announced()
                               ? settings_.session_interval / 5
                               : std::min(settings_.poll_interval, settings_.session_interval / 4);
    co_await wake_.wait_until(now + pause);
  }
  if (is_poll_wanted_) co_await wake_.wait_until(now + poll_spacing);
  is_poll_wanted_ = false;
}

Async<Result<void>> Membership::poll_membership() {
  if (session_.has_ended()) {
    listener_.on_session_ended();
    const SessionKey ended = session_.key();
    CO_TRY_VOID(co_await begin_session_anew());
    if (ended != SessionKey{}) {
      log_warn(
          "session {} of this process was ended by others: it had no heartbeat for too long, or"
          " another process has the same instance name; session {} replaces it",
          ended, session_.key());
    }
  }
  CO_TRY(MembershipSnapshot snapshot, co_await read_snapshot());
  observe_ended(snapshot.stored);
  snapshot.ended_since = ended_since_;
  if (snapshot.find_live(session_.key()) == nullptr) {
    session_.on_ended();
    listener_.on_session_ended();
    co_return Result<void>{};
  }
  CO_TRY_VOID(co_await listener_.on_snapshot(&snapshot));
  CO_TRY_VOID(co_await end_failed_sessions(&snapshot));
  CO_TRY_VOID(co_await forget_gone_instances(&snapshot));
  co_return co_await hold_lease(&snapshot);
}

Async<Result<void>> Membership::begin_session_anew() {
  co_await committer_.drained();
  const MonoTime before = runtime_.now();
  const WallTime now = runtime_.wall_now();
  const std::string fleet =
      fmt::format("{:016x}", runtime_.random(std::numeric_limits<std::uint64_t>::max()));
  BegunSession begun;
  Duration interval{};
  auto work = [this, now, &fleet, &begun, &interval]() -> Result<void> {
    SqlConnection& connection = writer_.connection;
    TRY_VOID(transact(connection, [&]() -> Result<void> {
      TRY(begun, begin_session(connection, session_.instance_name(), now));
      TRY_VOID(name_fleet(connection, fleet));
      TRY_VOID(propose_session_interval(connection, begun.instance, configured_interval_));
      TRY(const StoredSessions stored, read_sessions(connection));
      interval = stored.session_interval;
      return listener_.prepare_session(connection, begun.instance, stored);
    }));
    return connection.end_idle_transactions_after(interval / 2);
  };
  CO_TRY_VOID(co_await run_on(writer_.lane, work));
  adopt_interval(interval);
  session_.on_begun(begun, before);
  listener_.on_session_begun();
  log_info("session {} of instance {} has begun", session_.key(), session_.instance_name());
  co_return Result<void>{};
}

/// The clocks of all processes must agree on when a session is over.
void Membership::adopt_interval(Duration interval) {
  if (interval != configured_interval_) {
    log_warn(
        "fleet: fleet.session_interval is {} here and {} for the processes that work on this"
        " database already; this process uses {} too. Give all of them the same; to change it, stop"
        " all of them",
        format_duration(configured_interval_), format_duration(interval),
        format_duration(interval));
  }
  settings_.session_interval = interval;
  failures_.set_interval(interval);
  session_.set_interval(interval);
}

/// Every commit is a heartbeat. Without one for too long, others end the session. On its own, so
/// that nothing that a poll waits for delays it.
Async<void> Membership::keep_session() {
  while (!is_heart_stopping_) {
    const Duration interval = settings_.session_interval;
    const MonoTime due = session_.last_heartbeat() + interval / 2;
    co_await stop_requested_.wait_until(std::max(due, runtime_.now() + interval / 10));
    const bool is_due = runtime_.now() - session_.last_heartbeat() >= interval / 2;
    if (is_heart_stopping_ || session_.has_ended() || !is_due) continue;
    std::function<Result<void>(SqlConnection&)> nothing = [](SqlConnection&) -> Result<void> {
      return {};
    };
    const Result<void> beaten = co_await committer_.commit(std::move(nothing));
    // The committer says what is wrong with the database.
    if (!beaten && session_.has_ended()) poll_soon();
  }
}

Async<Result<MembershipSnapshot>> Membership::read_snapshot() {
  auto read = [this]() -> Result<MembershipSnapshot> {
    MembershipSnapshot snapshot;
    TRY(snapshot.stored, read_sessions(background_.connection));
    TRY(snapshot.lease_holder, read_lease(background_.connection, lease_));
    return snapshot;
  };
  co_return co_await run_on(background_.lane, read);
}

Async<Result<void>> Membership::end_failed_sessions(const MembershipSnapshot* snapshot) {
  const auto failed = failures_.observe(snapshot->stored.sessions, runtime_.now());
  for (const SessionRow& row : failed) {
    if (row.session == session_.key()) continue;
    bool ended = false;
    const WallTime now = runtime_.wall_now();
    std::function<Result<void>(SqlConnection&)> apply =
        [&row, &ended, now](SqlConnection& connection) -> Result<void> {
      TRY(ended, expire_session(connection, row, now));
      return {};
    };
    CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
    if (ended) {
      log_warn(
          "session {} of instance {} had no heartbeat for {}, and has been ended: its process"
          " commits nothing more under it, and others take over its work",
          row.session, row.instance_name, format_duration(settings_.session_interval));
    }
  }
  co_return Result<void>{};
}

/// By the clock here alone.
void Membership::observe_ended(const StoredSessions& stored) {
  const auto before = std::exchange(ended_since_, {});
  for (const SessionRow& row : stored.sessions) {
    if (row.is_live()) continue;
    const auto known = before.find(row.session);
    ended_since_.emplace(row.session, known == before.end() ? runtime_.now() : known->second);
  }
}

/// Those whose session was seen to have ended long enough ago.
std::map<InstanceKey, Membership::Gone> Membership::find_gone(
    const MembershipSnapshot& snapshot) const {
  std::map<InstanceKey, Gone> gone;
  for (const SessionRow& row : snapshot.stored.sessions) {
    const auto ended = snapshot.ended_since.find(row.session);
    if (ended == snapshot.ended_since.end()) continue;
    if (runtime_.now() - ended->second >= gone_after) gone.emplace(row.instance, Gone{row, {}});
  }
  return gone;
}

/// Instances that have been gone for long. A position that no live writer has reached stays: the
/// next writer begins after the largest one.
Async<Result<void>> Membership::forget_gone_instances(const MembershipSnapshot* snapshot) {
  const StoredSessions& stored = snapshot->stored;
  std::map<InstanceKey, Gone> gone = find_gone(*snapshot);
  if (gone.empty() || snapshot->lease_holder != session_.key()) co_return Result<void>{};
  const auto reached = live_positions(stored);
  for (const WriterPositionRow& row : stored.positions) {
    const auto found = gone.find(row.instance);
    if (found == gone.end()) continue;
    const auto live = reached.find(row.stream);
    if (live == reached.end() || live->second < row.position) {
      gone.erase(found);
    } else {
      found->second.streams.push_back(row.stream);
    }
  }
  co_return co_await forget(&gone);
}

Async<Result<void>> Membership::forget(const std::map<InstanceKey, Gone>* gone) {
  if (gone->empty()) co_return Result<void>{};
  std::function<Result<void>(SqlConnection&)> apply =
      [gone](SqlConnection& connection) -> Result<void> {
    for (const auto& [instance, each] : *gone | std::views::take(forgotten_per_poll)) {
      TRY_VOID(forget_instance(connection, each.session, each.streams));
    }
    return {};
  };
  co_return co_await committer_.commit(std::move(apply));
}

Async<Result<void>> Membership::hold_lease(const MembershipSnapshot* snapshot) {
  const SessionRow* const holder = snapshot->find_live(snapshot->lease_holder);
  lease_holder_ = holder == nullptr ? "" : holder->instance_name;
  bool is_held = snapshot->lease_holder == session_.key();
  if (holder == nullptr && listener_.can_work()) {
    const SessionKey from = snapshot->lease_holder;
    const SessionKey to = session_.key();
    std::function<Result<void>(SqlConnection&)> apply =
        [this, &is_held, from, to](SqlConnection& connection) -> Result<void> {
      TRY(is_held, take_lease(connection, lease_, from, to));
      return {};
    };
    CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
    if (is_held) lease_holder_ = session_.instance_name();
  }
  if (is_held && listener_.can_work()) co_return co_await listener_.begin_work();
  co_return Result<void>{};
}

}  // namespace postrider
