#pragma once

#include <map>
#include <optional>
#include <string>

#include "postrider/delivery/delivery_policy.hpp"
#include "postrider/engine/catalog.hpp"
#include "postrider/lease/membership.hpp"
#include "postrider/outbox/outbox_drain.hpp"
#include "postrider/runtime/bus.hpp"
#include "postrider/runtime/http_client.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

struct EngineSettings {
  std::map<std::string, StreamDeclaration> streams;
  bool auto_create_streams = false;
  StreamDeclaration created_stream;  ///< what an auto-created stream is like
  StreamSettings stream;
  DeliveryPolicy delivery;
  CatalogSettings catalog;
  std::size_t services_max = 10'000;
  std::size_t sort_facts_max = 10'000;  ///< decided in one commit
  bool per_service_metrics = false;
  OutboxSettings outbox;
  std::optional<FleetSettings> fleet;  ///< empty: the database is this process's alone
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
};

}  // namespace postrider
