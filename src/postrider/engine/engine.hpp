#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "postrider/engine/delivery_work.hpp"
#include "postrider/engine/engine_settings.hpp"
#include "postrider/engine/metrics.hpp"
#include "postrider/engine/quarantine_desk.hpp"
#include "postrider/replication/replicator.hpp"
#include "postrider/stream/stream_writers.hpp"

namespace postrider {

/// One process of Postrider without its listeners: the parts below, put together. Everything on the
/// engine thread.
class Engine final : private Streams::Listener, private Membership::Listener {
 public:
  Engine(EnginePorts ports, EngineSettings settings);
  ~Engine() override;

  /// Reads the database, creates declared streams, reconciles declared services, starts work.
  Async<Result<void>> start(ServiceRegistry::Receivers declared_services);
  /// After `start` has ended, well or not. No new transaction, no new commit after what is under
  /// way. Ends the HTTP client's requests through `end_requests` when they are not done after
  /// `grace`.
  Async<void> stop(Duration grace, std::function<void()> end_requests);

  Streams& streams() { return streams_; }
  [[nodiscard]] const Streams& streams() const { return streams_; }

  /// What this process does for all services; null while another one does it. Kept by whoever uses
  /// it across a wait.
  [[nodiscard]] std::shared_ptr<DeliveryWork> delivery() const {
    return delivery_ && delivery_->has_started() ? delivery_ : nullptr;
  }
  /// The instance that does, to be named to users; empty when none is known.
  [[nodiscard]] std::string delivering_instance() const;

  /// False while the database cannot be reached, or another process has this one's place there.
  [[nodiscard]] bool can_commit() const {
    return committer_.reaches_database() && !(session_ && session_->has_ended());
  }

  /// Asks the process that delivers to try the service at once. False when it cannot be told.
  bool ask_to_retry(const std::string& service);

  QuarantineDesk& quarantine() { return quarantine_; }
  Metrics& metrics() { return metrics_; }
  [[nodiscard]] const EngineSettings& settings() const { return settings_; }
  [[nodiscard]] const ReceiverKinds& kinds() const { return catalog_.kinds(); }
  /// What whoever registers the receiver should know.
  [[nodiscard]] std::vector<std::string> warnings(const Receiver& receiver) const;
  /// The streams as the database has them, whichever process sorts.
  Async<Result<std::vector<StreamRow>>> stored_streams();
  Runtime& runtime() { return ports_.runtime; }

  /// Brings the gauges up to date and renders all metrics.
  std::string metrics_text();

 private:
  Async<Result<void>> start_delivery();
  void end_delivery();
  /// Stops it, without waiting for what is in flight.
  void wind_down(std::shared_ptr<DeliveryWork> work);
  Async<void> wait_for_delivery(DeliveryWork* ended);
  Async<void> wait_for_outbox(DeliveryWork* ended);
  void refresh_service_gauges();
  void start_fleet();
  void retry_service(std::string_view service);

  void on_stream_added(Stream& stream) override;
  void on_stream_created(Stream& stream) override;

  Result<void> prepare_session(SqlConnection& connection, InstanceKey instance,
                               const StoredSessions& stored) override;
  void on_session_begun() override;
  void on_session_ended() override { end_delivery(); }
  Async<Result<void>> on_snapshot(const MembershipSnapshot* snapshot) override;
  [[nodiscard]] bool are_changes_announced() const override;
  [[nodiscard]] bool can_work() const override;
  Async<Result<void>> begin_work() override;

  EnginePorts ports_;
  EngineSettings settings_;
  Catalog catalog_;
  Metrics metrics_;
  std::set<std::string> services_shown_;  ///< that have series of their own
  std::unique_ptr<Session> session_;      ///< null: the database is this process's alone
  Committer committer_;
  Streams streams_;
  QuarantineDesk quarantine_;
  std::vector<ServiceRegistry::Declared> declared_services_;
  std::vector<Declaration> declarations_;  ///< the same, as the database has it; with a session
  std::set<SessionKey> lapsed_sessions_;   ///< that declare nothing any more
  std::shared_ptr<DeliveryWork> delivery_;
  std::vector<std::shared_ptr<DeliveryWork>> ending_;  ///< stopped, with something in flight
  Gate ending_deliveries_;
  Gate stopping_outboxes_;
  std::optional<StreamWriters> writers_;  ///< with a session
  std::optional<Membership> membership_;  ///< with a session
  std::optional<Replicator> replicator_;  ///< with a session and a bus
  bool is_replicating_ = false;
  bool stopping_ = false;
};

}  // namespace postrider
