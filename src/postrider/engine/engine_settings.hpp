#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "postrider/delivery/service_registry.hpp"
#include "postrider/engine/catalog.hpp"
#include "postrider/lease/membership.hpp"
#include "postrider/outbox/outbox_drain.hpp"
#include "postrider/runtime/bus.hpp"
#include "postrider/runtime/http_client.hpp"
#include "postrider/sort/compaction.hpp"
#include "postrider/sort/sorter.hpp"
#include "postrider/stream/fact_parser.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

struct EngineSettings {
  StreamsSettings streams{
      .declared = {},
      .created = {.format = std::string(default_stream_format), .attributes = {}},
      .each = {},
      .default_format = std::string(default_stream_format),
      .make_format = Catalog::make_format};
  FactLimits facts;  ///< of appends and of the outbox
  SorterSettings sorter;
  CompactionSettings compaction;
  ServiceRegistry::Settings services;
  /// Of transactions on their way to receivers: see `TransactionBudget`.
  std::size_t in_flight_bytes_max = 256U << 20;
  CatalogSettings catalog;
  OutboxSettings outbox;
  bool per_service_metrics = false;
  std::optional<FleetSettings> fleet;  ///< empty: the database is this process's alone

  bool operator==(const EngineSettings&) const = default;
};

/// The world as the engine sees it. Everything outlives the engine.
struct EnginePorts {
  Runtime& runtime;
  Reader writer;      ///< the committer's connection; also read from while opening
  Reader background;  ///< backlogs: sorting and delivery of what left the caches, retention
  HttpClient& http;
  Bus* bus = nullptr;                  ///< null: what others do is read from the database alone
  Lane* bus_lane = nullptr;            ///< with it: unpacks the facts of others
  const OutboxPort* outbox = nullptr;  ///< null: there is none
  /// What this process has had written to storage; null, or empty: nobody knows.
  std::function<std::optional<std::uint64_t>()> written_bytes = nullptr;
  /// Lines that the log has dropped; null: none.
  std::function<std::uint64_t()> log_lines_dropped = nullptr;
};

}  // namespace postrider
