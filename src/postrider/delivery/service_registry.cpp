// The services and what changes them. One change at a time, each one commit, and the memory follows
// the disk: a change that fails has not happened. Sorting learns of a change by the version of
// interests, which rises after the commit and before the answer; an interest that asks for the same
// as before stays the same object, so that a new URL costs sorting nothing.
//
// Where delivery to a service stands belongs to the coroutine that delivers to it while there is
// one. An operator's change of status races with it: what delivery went through meanwhile counts.
#include "postrider/delivery/service_registry.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "postrider/base/log.hpp"

namespace postrider {
namespace {

/// By kind, and by where they stand in a document.
using SecretsOfKinds = std::set<std::tuple<std::string, std::string, std::string>>;

void add_secrets(const Receiver& receiver, SecretsOfKinds& secrets) {
  for (UniqueSecret& each : receiver.unique_secrets()) {
    secrets.emplace(receiver.kind(), std::move(each.pointer), std::move(each.value));
  }
}

bool shares_secret(const Receiver& receiver, const SecretsOfKinds& secrets) {
  return std::ranges::any_of(receiver.unique_secrets(), [&](const UniqueSecret& each) {
    return secrets.contains({std::string(receiver.kind()), each.pointer, each.value});
  });
}

constexpr std::string_view undeclared_cause =
    "no longer declared in the configuration; declare it again or delete it";

/// What an operator is told of a service that rests.
std::string describe(PauseCauses causes) {
  if (causes.has(PauseCause::undeclared)) return std::string(undeclared_cause);
  if (causes.has(PauseCause::by_operator)) return "paused by an operator";
  if (causes.has(PauseCause::by_receiver)) {
    return "the receiver wants nothing more; delivery rests until the service is resumed";
  }
  return {};
}

std::string document_of(const Receiver& receiver) {
  return boost::json::serialize(receiver.document(Secrets::show));
}

std::int64_t digest_of(const Receiver& receiver) {
  return digest_of_document(document_of(receiver));
}

std::int64_t digest_of(Service& service) {
  if (!service.document_digest) service.document_digest = digest_of(*service.receiver);
  return *service.document_digest;
}

/// Was declared in a configuration, is in none any longer, and was paused for it.
bool is_undeclared(const Service& service) {
  return service.row.source == ServiceSource::configuration &&
         service.delivery.paused_by.has(PauseCause::undeclared);
}

bool is_declared(const Service& service) {
  return service.row.source == ServiceSource::configuration && !is_undeclared(service);
}

/// Freezes the first transactions of services that were idle.
class FreezeWrite final : public InboxWrite {
 public:
  FreezeWrite(TransactionController& controller, std::vector<FrozenTransaction> frozen)
      : controller_(controller), frozen_(std::move(frozen)) {}

  Result<void> apply(SqlConnection& connection) override {
    for (const FrozenTransaction& each : frozen_) TRY_VOID(each.unsaved.write(connection));
    return {};
  }
  void finish(bool is_committed) override {
    for (FrozenTransaction& each : frozen_) {
      if (is_committed) {
        controller_.start_frozen(std::move(each));
      } else {
        controller_.drop_frozen(each.service);
      }
    }
  }

 private:
  TransactionController& controller_;
  std::vector<FrozenTransaction> frozen_;
};

}  // namespace

ServiceRegistry::ServiceRegistry(Runtime& runtime, Commits& commits,
                                 TransactionController& controller, Settings settings)
    : runtime_(runtime),
      commits_(commits),
      controller_(controller),
      settings_(settings),
      mutex_(runtime) {}

void ServiceRegistry::add(std::shared_ptr<Service> service) {
  by_key_.emplace(service->row.key, service);
  by_id_.emplace(service->row.id, std::move(service));
  ++version_;
}

Result<void> ServiceRegistry::load(StoredDelivery stored, const DecisionTails& tails) {
  TRY(auto streams, restore_streams(stored, tails));
  for (std::size_t i = 0; i < stored.services.size(); ++i) {
    StoredService& each = stored.services[i];
    auto service = std::make_shared<Service>();
    service->row = std::move(each.row);
    service->delivery = std::move(each.delivery);
    service->streams = std::move(streams[service->row.key]);
    service->restore_turn();
    set_receiver(*service, std::move(stored.receivers[i]));
    if (!service->is_active()) service->forget_windows();
    add(std::move(service));
  }
  return {};
}

std::vector<ServiceRegistry::Declared> ServiceRegistry::declared(Receivers receivers) {
  std::vector<Declared> declared;
  for (auto& receiver : receivers) {
    const std::int64_t digest = digest_of(*receiver);
    declared.push_back({std::move(receiver), digest});
  }
  return declared;
}

Async<Result<void>> ServiceRegistry::reconcile(const std::vector<Declared>* declared,
                                               const LiveDeclarations* live) {
  declared_here_.clear();
  for (const Declared& each : *declared) declared_here_.insert(each.receiver->id());
  // First, since one that is declared now may take its token and its place.
  co_await mutex_.lock();
  const Result<void> settled = co_await settle_undeclared(declared, live);
  mutex_.unlock();
  if (!settled) co_return settled;
  for (const Declared& each : *declared) {
    if (is_settled(each, *live)) continue;
    auto put_result = co_await put(each.receiver, ServiceSource::configuration);
    if (!put_result) {
      co_return std::unexpected(
          std::move(put_result).error().with("service " + each.receiver->id()));
    }
  }
  co_return Result<void>{};
}

/// What others declare under another name than this process is paused too: its receiver would get
/// everything twice.
Async<Result<void>> ServiceRegistry::settle_undeclared(const std::vector<Declared>* declared,
                                                       const LiveDeclarations* live) {
  SecretsOfKinds secrets_here;
  for (const Declared& each : *declared) add_secrets(*each.receiver, secrets_here);
  for (const auto& [id, service] : by_id_) {
    if (service->row.source != ServiceSource::configuration) continue;
    const bool is_here = declared_here_.contains(id);
    const bool is_renamed = !is_here && shares_secret(*service->receiver, secrets_here);
    PauseCauses causes = service->delivery.paused_by;
    if (!is_here && (is_renamed || !live->declares(id))) {
      causes.add(PauseCause::undeclared);
      if (causes == service->delivery.paused_by) continue;
      log_warn("service {}: paused with {} facts behind: {}", id, service->behind(),
               undeclared_cause);
    } else if (is_undeclared(*service) && live->newest(id, digest_of(*service)) > SessionKey{}) {
      log_info("service {}: goes on, since another process declares it", id);
      causes.remove(PauseCause::undeclared);
    }
    if (causes == service->delivery.paused_by) continue;
    CO_TRY_VOID(co_await set_pause(service, causes));
  }
  co_return Result<void>{};
}

/// True when the service is as the configuration of this process says, or a newer one.
bool ServiceRegistry::is_settled(const Declared& declared, const LiveDeclarations& live) const {
  const std::string_view id = declared.receiver->id();
  const auto service = find(id);
  if (!service || !is_declared(*service)) return false;
  const std::int64_t stored = digest_of(*service);
  return stored == declared.digest || live.newest(id, stored) > live.newest(id, declared.digest);
}

void ServiceRegistry::start_delivery() {
  for (const auto& [id, service] : by_id_) {
    controller_.schedule_retry(service);
    controller_.wake(service);
  }
}

Result<void> ServiceRegistry::check_secrets(const Receiver& receiver, ServiceSource source) const {
  const auto secrets = receiver.unique_secrets();
  for (const auto& [id, other] : by_id_) {
    if (id == receiver.id() || other->receiver->kind() != receiver.kind()) continue;
    // A file's tokens were compared with each other before, and what another file has under another
    // name is paused.
    const bool are_files = source == ServiceSource::configuration && other->row.source == source;
    if (are_files) continue;
    const auto theirs = other->receiver->unique_secrets();
    for (std::size_t i = 0; i < std::min(secrets.size(), theirs.size()); ++i) {
      const UniqueSecret& secret = secrets[i];
      if (secret.value != theirs[i].value) continue;
      Error error{Code::conflict,
                  fmt::format("{} of service \"{}\" is used by service \"{}\" already; each service"
                              " needs tokens of its own",
                              secret.pointer.substr(1), receiver.id(), id)};
      error.fields = {{secret.pointer, "used by service \"" + id + "\""}};
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

/// One that no file declares any more only waits to be declared or deleted, and does not count. Nor
/// does one that only others declare: it may be what this file has replaced.
Result<void> ServiceRegistry::check_count() const {
  const auto counts = [this](const auto& each) {
    return each.second->row.source == ServiceSource::api || declared_here_.contains(each.first);
  };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(by_id_, counts));
  if (count < settings_.services_max) return {};
  return fail(Code::limit_exceeded, "there are {} services already, and limits.services_max is {}",
              count, settings_.services_max);
}

Result<void> ServiceRegistry::check_put(const Receiver& receiver, ServiceSource source) const {
  TRY_VOID(check_secrets(receiver, source));
  const auto existing = find(receiver.id());
  if (!existing && by_id_.size() >= settings_.services_max) TRY_VOID(check_count());
  if (existing && existing->receiver->kind() != receiver.kind()) {
    // What is frozen would be sent under its old ID with other bytes.
    return fail(
        Code::conflict,
        "service \"{}\" is of kind {} and cannot become one of kind {}; choose another id, or"
        " delete it first, when no file declares it",
        receiver.id(), existing->receiver->kind(), receiver.kind());
  }
  if (existing && is_declared(*existing) && source == ServiceSource::api) {
    return fail(Code::conflict,
                "service \"{}\" is declared in the configuration; change its registration file",
                receiver.id());
  }
  return {};
}

Async<Result<ServiceRegistry::Put>> ServiceRegistry::put(std::shared_ptr<const Receiver> receiver,
                                                         ServiceSource source) {
  co_await mutex_.lock();
  Result<Put> outcome = co_await put_in_turn(std::move(receiver), source);
  mutex_.unlock();
  co_return outcome;
}

Async<Result<ServiceRegistry::Put>> ServiceRegistry::put_in_turn(
    std::shared_ptr<const Receiver> receiver, ServiceSource source) {
  CO_TRY_VOID(check_put(*receiver, source));
  const auto existing = find(receiver->id());
  if (!existing) {
    CO_TRY_VOID(co_await create(std::move(receiver), source));
    co_return Put::created;
  }
  const bool is_same = document_of(*existing->receiver) == document_of(*receiver);
  const bool was_undeclared = is_undeclared(*existing);
  if (!is_same || existing->row.source != source) {
    CO_TRY_VOID(co_await update(existing, std::move(receiver), source));
  }
  if (was_undeclared) {
    PauseCauses causes = existing->delivery.paused_by;
    causes.remove(PauseCause::undeclared);
    CO_TRY_VOID(co_await set_pause(existing, causes));
  }
  co_return Put::updated;
}

/// The interest stays the same object while it asks for the same: nothing is compiled anew then.
void ServiceRegistry::set_receiver(Service& service, std::shared_ptr<const Receiver> receiver) {
  auto interest = receiver->interest();
  if (!service.interest || !interest->equals(*service.interest)) {
    service.interest = std::move(interest);
    ++version_;
  }
  service.policy = receiver->policy(settings_.delivery);
  service.split_facts_max = 0;
  std::string().swap(service.row.document);  // the receiver says the same
  service.receiver = std::move(receiver);
  service.document_digest.reset();
}

Async<Result<void>> ServiceRegistry::create(std::shared_ptr<const Receiver> receiver,
                                            ServiceSource source) {
  ServiceRow row{.key = {},
                 .id = receiver->id(),
                 .source = source,
                 .kind = std::string(receiver->kind()),
                 .document = document_of(*receiver),
                 .transaction_prefix = draw_transaction_prefix()};
  const WallTime now = runtime_.wall_now();
  std::function<Result<void>(SqlConnection&)> apply =
      [&row, now](SqlConnection& connection) -> Result<void> {
    TRY(row.key, insert_service(connection, row, now));
    return {};
  };
  CO_TRY_VOID(co_await commits_.commit(std::move(apply)));
  auto service = std::make_shared<Service>();
  service->row = std::move(row);
  set_receiver(*service, std::move(receiver));
  add(std::move(service));
  co_return Result<void>{};
}

Async<Result<void>> ServiceRegistry::update(std::shared_ptr<Service> service,
                                            std::shared_ptr<const Receiver> receiver,
                                            ServiceSource source) {
  ServiceRow row = service->row;
  row.source = source;
  row.document = document_of(*receiver);
  std::function<Result<void>(SqlConnection&)> apply = [&row](SqlConnection& connection) {
    return update_document(connection, row);
  };
  CO_TRY_VOID(co_await commits_.commit(std::move(apply)));
  service->row = std::move(row);
  set_receiver(*service, std::move(receiver));
  if (!service->is_active() && !service->delivering) service->forget_windows();
  // Whatever kept it DOWN may be what was changed.
  controller_.retry_now(service);
  controller_.wake(service);
  co_return Result<void>{};
}

Async<Result<void>> ServiceRegistry::remove(std::string id) {
  co_await mutex_.lock();
  const auto service = find(id);
  Result<void> outcome;
  if (!service) {
    outcome = fail(Code::not_found, "there is no service \"{}\"", id);
  } else if (is_declared(*service)) {
    outcome = fail(Code::conflict,
                   "service \"{}\" is declared in the configuration; remove it there first", id);
  } else {
    const ServiceKey key = service->row.key;
    std::function<Result<void>(SqlConnection&)> apply = [key](SqlConnection& connection) {
      return delete_service(connection, key);
    };
    outcome = co_await commits_.commit(std::move(apply));
    if (outcome) {
      controller_.forget(*service);
      by_key_.erase(key);
      by_id_.erase(id);
      ++version_;
    }
  }
  mutex_.unlock();
  co_return outcome;
}

/// Pauses the service for what is among the causes, or resumes it when there are none.
Async<Result<void>> ServiceRegistry::set_pause(std::shared_ptr<Service> service,
                                               PauseCauses causes) {
  DeliveryState& delivery = service->delivery;
  const DeliveryState before = delivery;
  delivery.paused_by = causes;
  delivery.status = causes.any() ? DeliveryStatus::paused : DeliveryStatus::up;
  delivery.last_error = describe(causes);
  if (!causes.any()) {
    delivery.attempts = 0;
    delivery.retry_interval = {};
  }
  delivery.next_attempt_at.reset();
  const std::int64_t delivered = service->delivered();
  service->revision.change();
  Result<void> saved = co_await save_delivery(commits_, service.get());
  if (!saved) {
    // The receiver may have stopped delivery meanwhile.
    const bool has_stopped =
        !causes.has(PauseCause::by_receiver) && delivery.paused_by.has(PauseCause::by_receiver);
    delivery.paused_by = before.paused_by;
    if (has_stopped) delivery.paused_by.add(PauseCause::by_receiver);
    restore_status(service, before, delivered);
    co_return saved;
  }
  controller_.wake(service);
  co_return saved;
}

/// What was refused has not happened; what delivery went through meanwhile has.
void ServiceRegistry::restore_status(const std::shared_ptr<Service>& service,
                                     const DeliveryState& before, std::int64_t delivered) {
  DeliveryState& delivery = service->delivery;
  const bool has_failed = delivery.next_attempt_at.has_value();
  const bool has_succeeded = service->delivered() > delivered;
  if (has_failed) {
    delivery.status = DeliveryStatus::down;
  } else if (has_succeeded) {
    delivery.status = DeliveryStatus::up;
    delivery.last_error.clear();
  } else {
    delivery.attempts = before.attempts;
    delivery.retry_interval = before.retry_interval;
    delivery.next_attempt_at = before.next_attempt_at;
    delivery.last_error = before.last_error;
    delivery.status = before.status;
  }
  if (delivery.paused_by.any()) delivery.status = DeliveryStatus::paused;
  service->revision.change();
  if (service->delivering) return;
  controller_.schedule_retry(service);
  controller_.wake(service);
}

Async<Result<void>> ServiceRegistry::pause(std::string id) {
  CO_TRY(const auto service, get(id));
  PauseCauses causes = service->delivery.paused_by;
  if (causes.has(PauseCause::by_operator)) co_return Result<void>{};
  if (!service->delivering) service->forget_windows();
  causes.add(PauseCause::by_operator);
  co_return co_await set_pause(service, causes);
}

Async<Result<void>> ServiceRegistry::resume(std::string id) {
  CO_TRY(const auto service, get(id));
  if (service->delivery.status != DeliveryStatus::paused) co_return Result<void>{};
  if (is_undeclared(*service)) {
    co_return fail(Code::conflict, "service \"{}\" is {}", id, undeclared_cause);
  }
  co_return co_await set_pause(service, {});
}

Result<void> ServiceRegistry::retry(std::string_view id) {
  TRY(const auto service, get(id));
  controller_.retry_now(service);
  return {};
}

Result<std::shared_ptr<Service>> ServiceRegistry::get(std::string_view id) const {
  auto service = find(id);
  if (!service) return fail(Code::not_found, "there is no service \"{}\"", id);
  return service;
}

std::shared_ptr<Service> ServiceRegistry::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::shared_ptr<Service> ServiceRegistry::find(ServiceKey key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

std::vector<ServiceInterest> ServiceRegistry::interests() const {
  std::vector<ServiceInterest> interests;
  for (const auto& [key, service] : by_key_) interests.push_back({key, service->interest});
  std::ranges::sort(interests, {}, &ServiceInterest::service);
  return interests;
}

std::unique_ptr<InboxWrite> ServiceRegistry::prepare_inboxes(const DecidedFacts& decided) {
  std::vector<FrozenTransaction> frozen;
  for (const auto& [key, positions] : decided.positions) {
    if (decided.transactions_left == 0) break;
    const auto service = find(key);
    if (!service) continue;
    auto transaction = controller_.freeze_decided(service, decided, positions);
    if (!transaction) continue;
    frozen.push_back(*std::move(transaction));
    --decided.transactions_left;
  }
  if (frozen.empty()) return nullptr;
  return std::make_unique<FreezeWrite>(controller_, std::move(frozen));
}

void ServiceRegistry::add_to_inbox(ServiceKey key, StreamKey stream,
                                   std::span<const StreamId> positions, WallTime appended_at) {
  const auto service = find(key);
  if (!service) return;
  const auto [delivery, is_new] = service->streams.try_emplace(stream);
  // It waits, and what waits is not kept in memory.
  if (is_new && !service->is_active()) delivery->second.inbox.forget_window();
  delivery->second.inbox.add(positions, appended_at);
  controller_.wake(service);
}

std::string ServiceRegistry::draw_transaction_prefix() {
  return fmt::format("{:08x}", runtime_.random(std::uint64_t{1} << 32));
}

}  // namespace postrider
