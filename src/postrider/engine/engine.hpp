#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/engine/delivery_work.hpp"
#include "postrider/engine/engine_settings.hpp"
#include "postrider/engine/fleet.hpp"
#include "postrider/engine/metrics.hpp"
#include "postrider/replication/replicator.hpp"

namespace postrider {

/// One process of Postrider without its listeners. Everything on the engine thread.
class Engine final : private FleetMember {
 public:
  Engine(EnginePorts ports, EngineSettings settings);
  ~Engine() override;

  /// Reads the database, creates declared streams, reconciles declared services, starts work.
  Async<Result<void>> start(std::vector<Registration> declared_services);
  /// No new transaction, no new commit after what is under way. Ends the HTTP client's requests
  /// through `end_requests` when they are not done after `grace`.
  Async<void> stop(Duration grace, std::function<void()> end_requests);

  /// `not_found` names the stream; creates it when the settings allow.
  Async<Result<Stream*>> stream(std::string name);
  [[nodiscard]] std::vector<Stream*> streams() const override;

  /// What this process does for all services; null while another one does it. Kept by whoever uses
  /// it across a wait.
  [[nodiscard]] std::shared_ptr<DeliveryWork> delivery() const {
    return delivery_ && delivery_->has_started() ? delivery_ : nullptr;
  }
  /// The instance that does, to be named to users; empty when none is known.
  [[nodiscard]] std::string delivering_instance() const;

  /// Asks the process that delivers to try the service at once. False when it cannot be told.
  bool ask_to_retry(const std::string& service);

  Metrics& metrics() { return metrics_; }
  [[nodiscard]] const EngineSettings& settings() const { return settings_; }
  Runtime& runtime() { return ports_.runtime; }

  /// Brings the gauges up to date and renders all metrics.
  std::string metrics_text();

 private:
  struct StreamPart {
    std::unique_ptr<Stream> stream;
    StreamId sorted_through;  ///< when it was read
    Duration retain{};
  };
  Async<Result<void>> load();
  Async<Result<void>> start_delivery();
  Async<Result<void>> create_stream(std::string name, StreamDeclaration declaration);
  Result<void> check_format(const StreamRow& row) const;
  Stream& add_stream(const StreamRow& row, StreamId last_id);
  /// Ends it, without waiting.
  void leave(std::shared_ptr<DeliveryWork> work);
  Async<void> drain(DeliveryWork* ended);
  Async<void> leave_outbox(DeliveryWork* ended);
  void refresh_service_gauges();
  [[nodiscard]] Replicator::Surroundings surroundings();

  void join_stream(const StreamRow& row, WriterStart start) override;
  [[nodiscard]] Stream* find_stream(StreamKey key) const override;
  void adopt_sessions(const StoredSessions& stored) override;
  [[nodiscard]] bool hears_others() const override;
  [[nodiscard]] bool can_deliver() const override;
  Async<Result<void>> begin_delivery() override;
  void end_delivery() override;

  EnginePorts ports_;
  EngineSettings settings_;
  Metrics metrics_;
  std::unique_ptr<Session> session_;  ///< null: the database is this process's alone
  Committer committer_;
  std::map<std::string, StreamPart, std::less<>> streams_;
  std::vector<Registration> declared_services_;
  std::shared_ptr<DeliveryWork> delivery_;
  std::vector<std::shared_ptr<DeliveryWork>> left_;  ///< that have not ended
  Gate ended_deliveries_;
  Gate left_outboxes_;
  std::optional<Fleet> fleet_;
  std::optional<Replicator> replicator_;
  bool is_replicating_ = false;
  Event stream_created_;
  std::set<std::string> creating_;
  bool stopping_ = false;
};

}  // namespace postrider
