#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "postrider/api/http/http_server.hpp"
#include "postrider/api/public_routes.hpp"
#include "postrider/base/log.hpp"
#include "postrider/drivers/curl/curl_http_client_settings.hpp"
#include "postrider/drivers/postgres/postgres_database.hpp"
#include "postrider/drivers/sqlite/sqlite_database.hpp"
#include "postrider/engine/engine_settings.hpp"

namespace postrider {

/// How the processes of a fleet tell each other of changes at once; at most one of these.
struct ReplicationSection {
  std::string redis;    ///< redis://…
  std::string listen;   ///< one process listens,
  std::string connect;  ///< the others connect to it
  bool operator==(const ReplicationSection&) const = default;
};

/// After loading, `admin` and `producers` hold the tokens of the files too.
struct TokenSection {
  std::string admin;
  std::string admin_file;
  std::vector<std::string> producers;
  std::string producers_file;
  bool operator==(const TokenSection&) const = default;
};

struct LogSection {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  bool operator==(const LogSection&) const = default;
};

/// Everything that can be configured: the settings of the modules, with their defaults, and what no
/// module knows. A default-constructed value is what an empty configuration means;
/// `examples/postrider.yaml` says what each setting does.
struct Settings {
  std::string database = "sqlite:./postrider.db";  ///< relative to the working directory
  SqliteSettings sqlite;                           ///< without its path
  PostgresSettings postgres;                       ///< without its URL
  std::uint64_t memory_max_bytes = 0;              ///< 0: a quarter of the machine
  EngineSettings engine;                           ///< without its fleet
  FleetSettings fleet;                             ///< without its name; with PostgreSQL only
  ReplicationSection replication;
  HttpServerSettings listener;  ///< of both, without its address
  std::string public_listen = "127.0.0.1:8480";
  std::string admin_listen = "127.0.0.1:8481";
  PublicApiSettings public_api;
  TokenSection tokens;
  std::vector<std::string> services;   ///< registration files; relative ones already resolved
  std::string outbox_url;              ///< the PostgreSQL database of an application; empty: none
  CurlHttpClientSettings http_client;  ///< without its policy
  std::vector<std::string> outbound_allow;  ///< ranges that receivers may be in though not public
  LogSection log;
  Duration start_database_wait = std::chrono::seconds{60};  ///< for PostgreSQL that is away
  Duration stop_grace = std::chrono::seconds{10};
  bool operator==(const Settings&) const = default;
};

inline bool is_postgres(const std::string& database) {
  return database.starts_with("postgresql:") || database.starts_with("postgres:");
}

/// The file behind `database: sqlite:PATH`.
inline std::string database_file(const Settings& settings) {
  return settings.database.substr(settings.database.find(':') + 1);
}

}  // namespace postrider
