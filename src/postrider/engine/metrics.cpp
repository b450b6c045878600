#include "postrider/engine/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace postrider {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Histogram;

const Histogram::BucketBoundaries seconds_buckets = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25, 0.5,
    1,      2.5,   5,      10,    30,   60,    300,  3600, 86400};
const Histogram::BucketBoundaries count_buckets = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000};

prometheus::Counter& counter(prometheus::Registry& registry, const std::string& name,
                             const std::string& help) {
  return BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram& histogram(prometheus::Registry& registry, const std::string& name,
                                 const std::string& help,
                                 const Histogram::BucketBoundaries& buckets) {
  return BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

prometheus::Family<prometheus::Gauge>& gauges(prometheus::Registry& registry,
                                              const std::string& name, const std::string& help) {
  return BuildGauge().Name(name).Help(help).Register(registry);
}

std::array<prometheus::Gauge*, 4> state_gauges(prometheus::Registry& registry) {
  auto& family = gauges(registry, "postrider_services", "Registered services by state.");
  return {&family.Add({{"state", "up"}}), &family.Add({{"state", "down"}}),
          &family.Add({{"state", "paused"}}), &family.Add({{"state", "untested"}})};
}

}  // namespace

Metrics::Metrics() : Metrics(std::make_shared<prometheus::Registry>()) {}

Metrics::Metrics(std::shared_ptr<prometheus::Registry> registry)
    : facts_appended(counter(*registry, "postrider_facts_appended_total", "Facts on disk.")),
      bytes_appended(counter(*registry, "postrider_facts_appended_bytes_total",
                             "Bytes of the payloads of facts that were appended over HTTP.")),
      appends_refused(
          counter(*registry, "postrider_appends_refused_total", "Appends answered with an error.")),
      append_seconds(histogram(*registry, "postrider_append_seconds",
                               "From a parsed append to its answer, which follows the sync.",
                               seconds_buckets)),
      facts_per_commit(histogram(*registry, "postrider_facts_per_commit",
                                 "Facts in each commit that carries facts.", count_buckets)),
      facts_sorted(
          counter(*registry, "postrider_facts_sorted_total", "Facts whose interest was decided.")),
      inbox_entries(counter(*registry, "postrider_inbox_entries_total",
                            "Facts put into inboxes, once for each interested service.")),
      facts_dropped(
          counter(*registry, "postrider_facts_dropped_total", "Facts deleted by retention.")),
      facts_quarantined(counter(*registry, "postrider_facts_quarantined_total",
                                "Facts that were passed by: not readable, or not decided.")),
      facts_unwanted(BuildCounter()
                         .Name("postrider_facts_unwanted_total")
                         .Help("Facts of each stream that no service gets.")
                         .Register(*registry)),
      sort_lag(gauges(*registry, "postrider_sort_lag_ids",
                      "IDs in order whose facts are not yet sorted.")),
      linear_position(
          gauges(*registry, "postrider_stream_position", "Linear position of each stream.")),
      services(state_gauges(*registry)),
      oldest_undelivered_seconds(
          gauges(*registry, "postrider_oldest_undelivered_seconds",
                 "Age of the oldest fact that some pushed service has not acknowledged.")
              .Add({})),
      in_flight_bytes(gauges(*registry, "postrider_delivery_in_flight_bytes",
                             "Memory of transactions on their way to receivers.")
                          .Add({})),
      waiting_for_memory(
          gauges(*registry, "postrider_delivery_waiting_for_memory",
                 "Transactions that wait because delivery.in_flight_bytes_max is reached.")
              .Add({})),
      storage_written_bytes(BuildCounter()
                                .Name("postrider_storage_written_bytes_total")
                                .Help("Bytes that this process has had written to storage.")
                                .Register(*registry)),
      log_lines_dropped(counter(*registry, "postrider_log_lines_dropped_total",
                                "Lines of the log that nobody has read in time.")),
      service_behind(gauges(*registry, "postrider_service_behind_facts",
                            "Facts a service is behind (only with metrics.per_service).")),
      service_oldest_undelivered(
          gauges(*registry, "postrider_service_oldest_undelivered_seconds",
                 "Age of a service's oldest undelivered fact (only with metrics.per_service).")),
      registry_(std::move(registry)),
      commits_(counter(*registry_, "postrider_commits_total", "Database commits.")),
      pages_written_(counter(*registry_, "postrider_storage_pages_written_total",
                             "Pages of the database that commits have written (SQLite).")),
      commit_seconds_(histogram(*registry_, "postrider_commit_seconds",
                                "Duration of a commit with its sync.", seconds_buckets)),
      transactions_(BuildCounter()
                        .Name("postrider_transactions_total")
                        .Help("Attempts to deliver a transaction, by outcome.")
                        .Register(*registry_)),
      facts_delivered_(counter(*registry_, "postrider_facts_delivered_total",
                               "Facts acknowledged by services.")),
      delivery_seconds_(histogram(*registry_, "postrider_delivery_seconds",
                                  "From append to the service's 2xx, of each delivered fact.",
                                  seconds_buckets)),
      outbox_facts_(counter(*registry_, "postrider_outbox_facts_total",
                            "Facts that were taken from the outbox.")),
      outbox_refused_(counter(*registry_, "postrider_outbox_refused_total",
                              "Rows of the outbox that were put aside.")) {}

CommitterMetrics Metrics::committer() {
  return {commits_, pages_written_, commit_seconds_};
}

DeliveryMetrics Metrics::delivery() {
  return {transactions_.Add({{"outcome", "delivered"}}), transactions_.Add({{"outcome", "failed"}}),
          facts_delivered_, delivery_seconds_, facts_quarantined};
}

OutboxMetrics Metrics::outbox() {
  return {outbox_facts_, outbox_refused_};
}

void Metrics::forget_service(const std::string& id) {
  for (auto* const family : {&service_behind, &service_oldest_undelivered}) {
    family->Remove(&family->Add({{"service", id}}));
  }
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace postrider
