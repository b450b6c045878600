#include "postrider/app/config/sections.hpp"
#include "postrider/app/config/text_rules.hpp"

namespace postrider {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr Duration one_second = std::chrono::seconds{1};
constexpr std::uint64_t tebibyte = mebibyte << 20;

}  // namespace

void add_server_sections(SettingTable& table, Settings& settings) {
  table.text("database", settings.database, database_fault);

  table.text("instance_name", settings.postgres.instance_name, instance_name_fault);

  table.size("memory.max", settings.memory_max_bytes, 0, 256 * tebibyte);

  StreamSettings& stream = settings.engine.streams.each;
  table.size("storage.size_max", settings.sqlite.size_max_bytes, 0, 256 * tebibyte);
  table.text("storage.schema", settings.postgres.schema, schema_fault);
  table.size("storage.tail_cache", stream.tail_cache_bytes, 0, tebibyte);
  table.size("storage.block_cache", stream.block_cache_bytes, 0, tebibyte);

  FleetSettings& fleet = settings.fleet;
  table.duration("fleet.session_interval", fleet.session_interval, one_second, hours{1});
  table.duration("fleet.poll_interval", fleet.poll_interval, milliseconds{10}, 10 * one_second);

  ReplicationSection& replication = settings.replication;
  table.text("replication.redis", replication.redis, redis_fault);
  table.text("replication.listen", replication.listen, optional_listen_fault);
  table.text("replication.connect", replication.connect, connect_fault);

  table.text("public.listen", settings.public_listen, listen_fault);
  table.number("public.threads", settings.listener.threads, 1, 64);
  table.number("public.connections_max", settings.listener.connections_max, 1, 1'000'000);
  table.number("public.connections_per_address_max", settings.listener.connections_per_address_max,
               1, 1'000'000);
  table.size("public.bodies_max", settings.listener.bodies_bytes_max, mebibyte, tebibyte);

  table.text("admin.listen", settings.admin_listen, listen_fault);

  table.flag("metrics.per_service", settings.engine.per_service_metrics);
  table.choice("log.level", settings.log.level,
               {{"trace", LogLevel::trace},
                {"debug", LogLevel::debug},
                {"info", LogLevel::info},
                {"warn", LogLevel::warn},
                {"error", LogLevel::error}});
  table.choice("log.format", settings.log.format,
               {{"text", LogFormat::text}, {"json", LogFormat::json}});
  table.duration("start.database_wait", settings.start_database_wait, Duration::zero(), hours{1});
  table.duration("stop.grace", settings.stop_grace, Duration::zero(), hours{1});
}

SettingTable table_of_settings(Settings& settings) {
  SettingTable table;
  add_server_sections(table, settings);
  add_token_section(table, settings);
  add_stream_sections(table, settings);
  add_delivery_sections(table, settings);
  return table;
}

}  // namespace postrider
