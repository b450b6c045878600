#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postrider/delivery/receiver_kind.hpp"
#include "postrider/delivery/service.hpp"
#include "postrider/delivery/stored_delivery.hpp"
#include "postrider/delivery/transaction_controller.hpp"
#include "postrider/runtime/async_mutex.hpp"
#include "postrider/sort/decision_tail.hpp"
#include "postrider/sort/inboxes.hpp"
#include "postrider/store/declarations.hpp"

namespace postrider {

/// The services, by id and by key. Every change is one commit, and changes go one after the other.
/// Engine thread.
class ServiceRegistry final : public Inboxes {
 public:
  struct Settings {
    std::size_t services_max = 10'000;
    DeliveryPolicy delivery;  ///< where a document says nothing

    bool operator==(const Settings&) const = default;
  };
  ServiceRegistry(Runtime& runtime, Commits& commits, TransactionController& controller,
                  Settings settings);

  using Receivers = std::vector<std::shared_ptr<const Receiver>>;
  /// What the database holds. Once, before anything else. `tails` are loaded already.
  Result<void> load(StoredDelivery stored, const DecisionTails& tails);
  /// A service as the configuration of this process declares it.
  struct Declared {
    std::shared_ptr<const Receiver> receiver;
    std::int64_t digest = 0;  ///< of its document
  };
  static std::vector<Declared> declared(Receivers receivers);
  /// Makes the services that the configuration declares what it says, but for documents that a
  /// newer configuration has put there. `live`: what all sessions declare (store/declarations.hpp),
  /// this one among them; empty when there is only this process. A service that nobody declares any
  /// more is paused, never dropped: its facts wait until it is declared again or deleted. One that
  /// only others declare goes on with the document that is stored; if it was paused as undeclared,
  /// then only when they declare that very document; it is paused when this process declares
  /// another service with its token. Called again when `live` has changed. Both must outlive the
  /// call. Errors: those of `put` and of a commit; what was done stays done.
  Async<Result<void>> reconcile(const std::vector<Declared>* declared,
                                const LiveDeclarations* live);
  /// Starts delivery of everything that waits, and the timers of what is DOWN.
  void start_delivery();

  enum class Put { created, updated };
  /// Creates or replaces. Errors: `conflict` (a secret of another service; another kind than the
  /// service has; a service that the configuration declares), `limit_exceeded`.
  Async<Result<Put>> put(std::shared_ptr<const Receiver> receiver, ServiceSource source);
  /// Deletes the service with its inbox. Errors: `not_found`, `conflict`.
  Async<Result<void>> remove(std::string id);
  Async<Result<void>> pause(std::string id);
  /// Errors: `not_found`, `conflict` (the configuration no longer declares it).
  Async<Result<void>> resume(std::string id);
  /// Tries a DOWN service now.
  Result<void> retry(std::string_view id);

  [[nodiscard]] std::shared_ptr<Service> find(std::string_view id) const;
  [[nodiscard]] std::shared_ptr<Service> find(ServiceKey key) const;
  [[nodiscard]] const std::map<std::string, std::shared_ptr<Service>, std::less<>>& all() const {
    return by_id_;
  }

  [[nodiscard]] std::uint64_t interest_version() const override { return version_; }
  [[nodiscard]] std::vector<ServiceInterest> interests() const override;
  std::unique_ptr<InboxWrite> prepare_inboxes(const DecidedFacts& decided) override;
  void add_to_inbox(ServiceKey service, StreamKey stream, std::span<const StreamId> positions,
                    WallTime appended_at) override;

 private:
  Result<void> check_secrets(const Receiver& receiver, ServiceSource source) const;
  Result<void> check_count() const;
  Result<void> check_put(const Receiver& receiver, ServiceSource source) const;
  Async<Result<void>> settle_undeclared(const std::vector<Declared>* declared,
                                        const LiveDeclarations* live);
  [[nodiscard]] bool is_settled(const Declared& declared, const LiveDeclarations& live) const;
  Async<Result<Put>> put_in_turn(std::shared_ptr<const Receiver> receiver, ServiceSource source);
  Async<Result<void>> create(std::shared_ptr<const Receiver> receiver, ServiceSource source);
  Async<Result<void>> update(std::shared_ptr<Service> service,
                             std::shared_ptr<const Receiver> receiver, ServiceSource source);
  void set_receiver(Service& service, std::shared_ptr<const Receiver> receiver);
  Async<Result<void>> set_pause(std::shared_ptr<Service> service, PauseCauses causes);
  void restore_status(const std::shared_ptr<Service>& service, const DeliveryState& before,
                      std::int64_t delivered);
  [[nodiscard]] Result<std::shared_ptr<Service>> get(std::string_view id) const;
  void add(std::shared_ptr<Service> service);
  std::string draw_transaction_prefix();

  Runtime& runtime_;
  Commits& commits_;
  TransactionController& controller_;
  Settings settings_;
  std::map<std::string, std::shared_ptr<Service>, std::less<>> by_id_;
  std::unordered_map<ServiceKey, std::shared_ptr<Service>> by_key_;
  std::set<std::string, std::less<>> declared_here_;  ///< by the configuration of this process
  std::uint64_t version_ = 1;
  AsyncMutex mutex_;
};

}  // namespace postrider
