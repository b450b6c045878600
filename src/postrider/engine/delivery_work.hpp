#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "postrider/delivery/service_registry.hpp"
#include "postrider/delivery/transaction_controller.hpp"
#include "postrider/engine/engine_settings.hpp"
#include "postrider/engine/metrics.hpp"
#include "postrider/engine/retention.hpp"
#include "postrider/lease/revocable_commits.hpp"
#include "postrider/outbox/outbox_drain.hpp"
#include "postrider/sort/compaction.hpp"
#include "postrider/sort/interest_catalog.hpp"
#include "postrider/sort/sorter.hpp"

namespace postrider {

/// Sorting, delivery, retention and the outbox: what one process at a time does for all streams and
/// services. Engine thread.
class DeliveryWork {
 public:
  /// References must outlive this.
  DeliveryWork(const EnginePorts& ports, Committer& committer, const EngineSettings& settings,
               const Catalog& catalog, Metrics& metrics, Streams& streams);
  DeliveryWork(const DeliveryWork&) = delete;
  DeliveryWork& operator=(const DeliveryWork&) = delete;
  ~DeliveryWork();

  /// Before `start` or after it.
  void add_stream(Stream& stream);
  /// Reads the services, makes the declared ones what this process and all sessions that have not
  /// lapsed declare (declarations.hpp), and starts work.
  Async<Result<void>> start(std::vector<ServiceRegistry::Declared> declared,
                            std::set<SessionKey> lapsed);
  /// After `start`: the sessions that have not lapsed have these configurations now. When they had
  /// others before, the services follow. What goes wrong is logged, and tried again with the next
  /// call.
  void follow(std::set<SessionKey> configurations, std::set<SessionKey> lapsed);
  /// False before `start` has read all services.
  [[nodiscard]] bool has_started() const { return started_; }
  /// Nothing more is committed, and no request is begun. What is in flight may go on.
  void request_stop();
  /// After `request_stop`: waits for what is in flight to services and to the database.
  Async<void> stopped();
  /// After that: waits for the application's database too, which may take long.
  Async<void> outbox_stopped();
  /// The lease is lost: nothing more can be committed.
  void end_commits() { commits_.revoke(); }

  ServiceRegistry& services() { return registry_; }
  /// As `TransactionController::ping`.
  Async<TransactionController::PingAnswer> ping(std::shared_ptr<Service> service) {
    return controller_.ping(std::move(service));
  }
  [[nodiscard]] const ServiceRegistry& services() const { return registry_; }
  [[nodiscard]] const TransactionBudget& budget() const { return budget_; }
  [[nodiscard]] Sorter& sorter(StreamKey stream) const { return *sorters_.at(stream); }

 private:
  Async<void> follow_configurations(std::set<SessionKey> lapsed);
  Async<Result<void>> reconcile(LiveDeclarations live);
  Async<Result<void>> read_and_reconcile(std::set<SessionKey> lapsed);

  EnginePorts ports_;
  RevocableCommits commits_;
  const EngineSettings& settings_;
  const Catalog& catalog_;
  Metrics& metrics_;
  DecisionTails tails_;
  TransactionBudget budget_;
  TransactionSource source_;
  TransactionController controller_;
  ServiceRegistry registry_;
  Compaction compaction_;
  InterestCatalog interests_;
  Retention retention_;
  std::optional<OutboxDrain> outbox_;
  std::map<StreamKey, std::unique_ptr<Sorter>> sorters_;
  std::vector<ServiceRegistry::Declared> declared_;
  std::set<SessionKey> configurations_;  ///< that the services are as
  std::string configuration_error_;
  Gate following_;  ///< beside the polls, which need not wait for it
  bool started_ = false;
  bool stopping_ = false;
};

}  // namespace postrider
