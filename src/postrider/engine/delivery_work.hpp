#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postrider/delivery/service_registry.hpp"
#include "postrider/delivery/transaction_controller.hpp"
#include "postrider/engine/engine_settings.hpp"
#include "postrider/engine/metrics.hpp"
#include "postrider/engine/retention.hpp"
#include "postrider/outbox/outbox_drain.hpp"
#include "postrider/sort/sorter.hpp"

namespace postrider {

/// Commits while this process holds the lease that they rest on. Afterwards it is as if it were
/// stopping.
class LeasedCommits final : public Commits {
 public:
  explicit LeasedCommits(Commits& commits) : commits_(commits) {}

  Async<Result<void>> commit(std::function<Result<void>(SqlConnection&)> apply) override;
  [[nodiscard]] bool may_act() const override { return !ended_ && commits_.may_act(); }
  void end() { ended_ = true; }

 private:
  Commits& commits_;
  bool ended_ = false;
};

/// Sorting, delivery, retention and the outbox: what one process at a time does for all streams and
/// services. Engine thread.
class DeliveryWork {
 public:
  /// `stream_by_name` is for the outbox.
  DeliveryWork(const EnginePorts& ports, Commits& commits, const EngineSettings& settings,
               Metrics& metrics, OutboxDrain::FindStream stream_by_name);
  DeliveryWork(const DeliveryWork&) = delete;
  DeliveryWork& operator=(const DeliveryWork&) = delete;
  ~DeliveryWork();

  /// Before `start` or after it.
  void add_stream(Stream& stream, StreamId sorted_through, Duration retain);
  /// Reads the services, makes the declared ones what the configuration says, and starts work.
  Async<Result<void>> start(std::vector<Registration> declared_services);
  /// Before that it does not know all services.
  [[nodiscard]] bool has_started() const { return started_; }
  /// Nothing more is committed, and no request is begun. What is in flight may go on.
  void request_stop();
  /// After `request_stop`: waits for what is in flight to services and to the database.
  Async<void> stopped();
  /// After that: waits for the application's database too, which may take long.
  Async<void> left_outbox();
  /// The lease is lost: nothing more can be committed.
  void end_commits() { commits_.end(); }

  ServiceRegistry& services() { return registry_; }
  [[nodiscard]] const ServiceRegistry& services() const { return registry_; }
  /// Facts of a stream that are in order and not sorted.
  [[nodiscard]] std::int64_t sort_lag(StreamKey stream) const;

 private:
  struct Part {
    Stream* stream = nullptr;
    std::unique_ptr<Sorter> sorter;
    Duration retain{};
  };
  [[nodiscard]] std::vector<Retention::Subject> retention_subjects() const;
  [[nodiscard]] Stream* find_stream(StreamKey key) const;

  EnginePorts ports_;
  LeasedCommits commits_;
  const EngineSettings& settings_;
  Metrics& metrics_;
  TransactionController controller_;
  ServiceRegistry registry_;
  Retention retention_;
  std::optional<OutboxDrain> outbox_;
  std::map<StreamKey, Part> parts_;
  bool started_ = false;
  bool stopping_ = false;
};

}  // namespace postrider
