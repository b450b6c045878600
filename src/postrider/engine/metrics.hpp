#pragma once

#include <array>
#include <memory>
#include <string>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "postrider/commit/committer.hpp"
#include "postrider/delivery/transaction_controller.hpp"
#include "postrider/outbox/outbox_drain.hpp"

namespace postrider {

/// Everything that /metrics shows. Counters and histograms may be touched from any thread.
class Metrics {
 public:
  Metrics();

  [[nodiscard]] CommitterMetrics committer();
  [[nodiscard]] DeliveryMetrics delivery();
  [[nodiscard]] OutboxMetrics outbox();

  prometheus::Counter& facts_appended;
  prometheus::Counter& bytes_appended;  ///< of payloads, over HTTP
  prometheus::Counter& appends_refused;
  prometheus::Histogram& append_seconds;    ///< request parsed to answer, synced
  prometheus::Histogram& facts_per_commit;  ///< of commits that carry facts
  prometheus::Counter& facts_sorted;
  prometheus::Counter& inbox_entries;  ///< facts times interested services
  prometheus::Counter& facts_dropped;  ///< by retention
  prometheus::Counter& facts_quarantined;
  prometheus::Family<prometheus::Counter>& facts_unwanted;
  prometheus::Family<prometheus::Gauge>& sort_lag;         ///< label stream
  prometheus::Family<prometheus::Gauge>& linear_position;  ///< label stream
  std::array<prometheus::Gauge*, 4> services;              ///< by DeliveryStatus
  prometheus::Gauge& oldest_undelivered_seconds;
  prometheus::Gauge& in_flight_bytes;
  prometheus::Gauge& waiting_for_memory;
  prometheus::Family<prometheus::Counter>& storage_written_bytes;
  prometheus::Counter& log_lines_dropped;
  prometheus::Family<prometheus::Gauge>& service_behind;              ///< label service
  prometheus::Family<prometheus::Gauge>& service_oldest_undelivered;  ///< label service

  /// Its series go.
  void forget_service(const std::string& id);

  /// The Prometheus text format.
  [[nodiscard]] std::string text() const;

 private:
  explicit Metrics(std::shared_ptr<prometheus::Registry> registry);

  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& commits_;
  prometheus::Counter& pages_written_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Family<prometheus::Counter>& transactions_;
  prometheus::Counter& facts_delivered_;
  prometheus::Histogram& delivery_seconds_;
  prometheus::Counter& outbox_facts_;
  prometheus::Counter& outbox_refused_;
};

}  // namespace postrider
