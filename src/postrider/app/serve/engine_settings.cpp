#include "postrider/app/serve/engine_settings.hpp"

namespace postrider {
namespace {

FactLimits fact_limits(const Settings& settings) {
  return {.fact_bytes_max = settings.append.fact_bytes_max,
          .batch_facts_max = settings.append.batch_facts_max,
          .json_depth_max = settings.append.json_depth_max};
}

}  // namespace

CatalogSettings catalog_settings(const Settings& settings) {
  return {.server_name = settings.matrix.server_name,
          .registration = {.pattern_bytes_max = settings.limits.pattern_bytes_max,
                           .patterns_per_service_max = settings.limits.patterns_per_service_max}};
}

EngineSettings engine_settings(const Settings& settings) {
  EngineSettings engine;
  for (const auto& [name, stream] : settings.streams) {
    engine.streams[name] = {
        .format = stream.format, .attributes = stream.attributes, .retain = stream.retain};
  }
  engine.auto_create_streams = settings.append.auto_create_streams;
  engine.created_stream.format = settings.append.default_format;
  engine.stream = {.tail_cache_bytes = settings.storage.tail_cache,
                   .block_cache_bytes = settings.storage.block_cache,
                   .waiting_bytes_max = settings.append.waiting_bytes_max,
                   .idempotency_retain = settings.append.idempotency_retain};
  engine.delivery = {.limits = {.facts_max = settings.delivery.transaction_facts_max,
                                .bytes_max = settings.delivery.transaction_bytes_max},
                     .request_timeout = settings.delivery.request_timeout,
                     .backoff = settings.delivery.backoff};
  engine.catalog = catalog_settings(settings);
  engine.services_max = settings.limits.services_max;
  engine.per_service_metrics = settings.metrics.per_service;
  engine.outbox = {
      .poll_interval = settings.outbox.poll_interval, .limits = {}, .facts = fact_limits(settings)};
  if (is_postgres(settings.database)) {
    engine.fleet = {.instance_name = settings.instance_name,
                    .session_interval = settings.fleet.session_interval,
                    .poll_interval = settings.fleet.poll_interval};
  }
  return engine;
}

PublicApiSettings public_api_settings(const Settings& settings) {
  return {.facts = fact_limits(settings),
          .batch_bytes_max = settings.append.batch_bytes_max,
          .read_limit_default = settings.read.limit_default,
          .read_limit_max = settings.read.limit_max,
          .read_wait = settings.read.wait_max};
}

}  // namespace postrider
