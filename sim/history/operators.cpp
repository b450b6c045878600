#include "sim/history/operators.hpp"

#include <fmt/format.h>

#include "sim/history/documents.hpp"

namespace postrider::sim {
namespace {

using std::chrono::milliseconds;

// How soon an operator resumes a service whose receiver wanted nothing more; in the end, all are.
constexpr Duration resume_pause_max = std::chrono::seconds{60};
constexpr Duration healed_resume_pause = std::chrono::seconds{1};

}  // namespace

void Operators::start() {
  for (int i = 0; i < context_.plan.workload.services; ++i) put(fmt::format("svc{}", i));
  if (context_.plan.workload.mean_operator_pause > Duration{}) act();
  resume_stopped();
}

/// Whoever answers 410 is resumed some time later, since every history ends with all delivered.
void Operators::resume_stopped() {
  if (context_.engine() != nullptr) {
    for (const auto& [id, service] : context_.engine()->delivery()->services().all()) {
      const bool stopped = service->delivery.status == DeliveryStatus::paused &&
                           !service->delivery.paused_by.has(PauseCause::undeclared);
      if (stopped && !paused_.contains(id) && !open_.contains(id)) set_paused(id, false);
    }
  }
  const Duration pause =
      context_.healed ? healed_resume_pause : random_.between(Duration{1}, resume_pause_max);
  context_.later(pause, [this] { resume_stopped(); });
}

void Operators::act() {
  if (context_.healed) return;
  const auto services = static_cast<std::uint64_t>(context_.plan.workload.services);
  const std::string id = fmt::format("svc{}", random_.below(services + 1));
  if (context_.engine() != nullptr && !open_.contains(id)) act_on(id);
  const Duration pause =
      random_.between(Duration{1}, context_.plan.workload.mean_operator_pause * 2);
  context_.later(pause, [this] { act(); });
}

void Operators::act_on(const std::string& id) {
  const bool exists = context_.registrations.current(id) != nullptr;
  const auto kind = random_.below(10);
  if (!exists || kind < 4) return put(id);
  if (kind < 5) return remove(id);
  if (kind < 7) return set_paused(id, true);
  if (kind < 9) return set_paused(id, false);
  retry(id);
}

PlainService Operators::draw_service(const std::string& id) {
  // A service keeps its kind for all of its life.
  const ServiceLife* life = context_.registrations.current(id);
  const bool is_webhook = life == nullptr
                              ? random_.chance(context_.plan.workload.webhooks)
                              : std::holds_alternative<PlainWebhook>(life->versions.back().service);
  if (is_webhook) return draw_webhook();
  return draw_registration(id);
}

PlainRegistration Operators::draw_registration(const std::string& id) {
  static const std::vector<std::string> users = {"@irc_", "@slack_", "@human_0", "@"};
  static const std::vector<std::string> rooms = {"!r0", "!r1", "!r"};
  static const std::vector<std::string> aliases = {"#irc_", "#"};
  PlainRegistration plain;
  plain.sender_localpart = "bot_" + id.substr(3);
  if (random_.chance(800)) plain.users = {random_.pick(users)};
  if (random_.chance(200)) plain.rooms = {random_.pick(rooms)};
  if (random_.chance(300)) plain.aliases = {random_.pick(aliases)};
  return plain;
}

PlainWebhook Operators::draw_webhook() {
  static const std::vector<std::string> types = {
      "", "m.room.m", "m.room.message", "m.room.member", "m.room.c", "m.reaction"};
  PlainWebhook plain;
  plain.types = {random_.pick(types)};
  if (random_.chance(300)) plain.types.push_back(random_.pick(types));
  const auto streams = static_cast<std::uint64_t>(context_.plan.workload.streams);
  if (random_.chance(400)) plain.streams = {fmt::format("s{}", random_.below(streams))};
  return plain;
}

std::map<std::string, StreamId> Operators::sorted_positions() {
  std::map<std::string, StreamId> positions;
  for (const Stream* stream : context_.engine()->streams().all()) {
    positions[stream->name()] = stream->sorted_through();
  }
  return positions;
}

/// Also what a commit under way appends, which may be decided already.
std::map<std::string, StreamId> Operators::begun_positions() {
  std::map<std::string, StreamId> positions;
  for (const Stream* stream : context_.engine()->streams().all()) {
    StreamId& begun = positions[stream->name()];
    begun = stream->linear_position();
    if (!stream->prepared().empty()) begun = std::max(begun, stream->prepared().back().last());
  }
  return positions;
}

void Operators::begin(const std::string& id, std::optional<DoubtfulChange> doubt) {
  open_.emplace(id, std::move(doubt));
  if (const ServiceLife* life = context_.registrations.current(id)) {
    context_.judge.operator_begins(life->prefix);
  }
}

void Operators::end(const std::string& id, bool forgets_failures) {
  open_.erase(id);
  if (const ServiceLife* life = context_.registrations.current(id)) {
    context_.judge.operator_ends(life->prefix, forgets_failures);
  }
}

void Operators::doubt(const std::string& id) {
  const auto change = open_.at(id);
  if (change) context_.registrations.doubt(id, *change);
}

void Operators::hand_over() {
  ++deliverers_;
  paused_.clear();
  for (const auto& [id, change] : std::exchange(open_, {})) {
    if (change) context_.registrations.doubt(id, *change);
    if (to_resume_.contains(id)) resume_later(id);
  }
}

template <class T>
void Operators::ask(Async<Result<T>> question, std::function<void(const Result<T>*)> answered) {
  context_.delivering()->keep_delivery();
  context_.delivering()->call<Result<T>>(
      std::move(question), [this, asked = deliverers_, answered = std::move(answered)](
                               const std::optional<Result<T>>& answer) {
        if (asked == deliverers_) answered(answer ? &*answer : nullptr);
      });
}

void Operators::put(const std::string& id) {
  if (context_.engine() == nullptr || open_.contains(id)) {
    context_.later(milliseconds{100}, [this, id] { put(id); });
    return;
  }
  const PlainService plain = draw_service(id);
  const bool pushed = !random_.chance(50);
  context_.trace.note("put", id);
  const auto before = sorted_positions();
  begin(id, DoubtfulChange{plain, pushed, before});
  ServiceRegistry& services = context_.engine()->delivery()->services();
  ask<ServiceRegistry::Put>(
      services.put(receiver_of(id, plain, pushed), ServiceSource::api),
      [this, id, plain, pushed, before](const Result<ServiceRegistry::Put>* done) {
        const bool stored = done != nullptr && *done;
        context_.trace.note("put done", id, {stored ? 1 : 0});
        // The answer may come when the process that gave it is gone already; then the disk knows.
        const auto service = !stored || context_.engine() == nullptr
                                 ? nullptr
                                 : context_.engine()->delivery()->services().find(id);
        if (service != nullptr) {
          const ChangePoint since{before, begun_positions()};
          context_.registrations.put(id, service->row.transaction_prefix, pushed, plain, since);
        } else {
          doubt(id);
        }
        end(id, false);
      });
}

void Operators::remove(const std::string& id) {
  context_.trace.note("remove", id);
  const auto before = sorted_positions();
  begin(id, DoubtfulChange{std::nullopt, true, before});
  ask<void>(context_.engine()->delivery()->services().remove(id),
            [this, id, before](const Result<void>* done) {
              const bool removed = done != nullptr && *done;
              context_.trace.note("remove done", id, {removed ? 1 : 0});
              const bool is_known = removed && context_.engine() != nullptr;
              if (!is_known) doubt(id);
              end(id, false);
              if (is_known) context_.registrations.remove(id, {before, begun_positions()});
            });
}

void Operators::set_paused(const std::string& id, bool paused) {
  context_.trace.note(paused ? "pause" : "resume", id);
  begin(id, std::nullopt);
  if (paused) {
    paused_.insert(id);
  } else {
    paused_.erase(id);
    tell_judge(id, false);
  }
  ServiceRegistry& services = context_.engine()->delivery()->services();
  ask<void>(paused ? services.pause(id) : services.resume(id),
            [this, id, paused](const Result<void>* done) {
              const bool succeeded = done != nullptr && *done;
              end(id, succeeded && !paused);
              if (!succeeded) paused_.erase(id);
              if (succeeded && paused) tell_judge(id, true);
              if (succeeded && !paused) to_resume_.erase(id);
              if (!paused && to_resume_.contains(id)) resume_later(id);
            });
}

void Operators::tell_judge(const std::string& id, bool paused) {
  const ServiceLife* const life = context_.registrations.current(id);
  if (life != nullptr) context_.judge.set_paused(life->prefix, paused);
}

void Operators::retry(const std::string& id) {
  context_.trace.note("retry", id);
  begin(id, std::nullopt);
  const auto tried = context_.engine()->delivery()->services().retry(id);
  static_cast<void>(tried);  // there may be no such service any more
  end(id, false);
}

void Operators::resume_later(const std::string& id) {
  context_.later(milliseconds{200}, [this, id] {
    if (context_.registrations.current(id) == nullptr) {
      to_resume_.erase(id);
    } else if (context_.engine() == nullptr || open_.contains(id)) {
      resume_later(id);
    } else {
      set_paused(id, false);
    }
  });
}

void Operators::resume_all() {
  for (const auto& life : context_.registrations.all()) {
    if (!life->deleted && to_resume_.insert(life->id).second) resume_later(life->id);
  }
}

}  // namespace postrider::sim
