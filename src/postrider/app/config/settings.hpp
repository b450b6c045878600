#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "postrider/base/log.hpp"
#include "postrider/base/time.hpp"
#include "postrider/runtime/backoff.hpp"

namespace postrider {

inline constexpr std::uint64_t kibibyte = 1024;
inline constexpr std::uint64_t mebibyte = 1024 * kibibyte;

/// Everything that can be configured, one struct for each section of the file. A
/// default-constructed value is what an empty configuration means; `examples/postrider.yaml` says
/// what each setting does.

struct StorageSection {
  std::uint64_t size_max = 0;        ///< cap of the SQLite file; 0 is no cap
  std::string schema = "postrider";  ///< of PostgreSQL
  std::uint64_t tail_cache = 64 * mebibyte;
  std::uint64_t block_cache = 32 * mebibyte;
  bool operator==(const StorageSection&) const = default;
};

/// How several processes work on one database; with PostgreSQL only.
struct FleetSection {
  Duration session_interval = std::chrono::seconds{5};
  Duration poll_interval = std::chrono::milliseconds{100};
  bool operator==(const FleetSection&) const = default;
};

/// How the processes of a fleet hear of each other at once; at most one of these.
struct ReplicationSection {
  std::string redis;    ///< redis://…
  std::string listen;   ///< one process listens,
  std::string connect;  ///< the others connect to it
  bool operator==(const ReplicationSection&) const = default;
};

struct PublicSection {
  std::string listen = "127.0.0.1:8480";
  std::uint32_t threads = 1;
  std::uint32_t connections_max = 4096;
  bool operator==(const PublicSection&) const = default;
};

struct AdminSection {
  std::string listen = "127.0.0.1:8481";
  bool operator==(const AdminSection&) const = default;
};

/// After loading, `admin` and `producers` hold the tokens of the files too.
struct TokenSection {
  std::string admin;
  std::string admin_file;
  std::vector<std::string> producers;
  std::string producers_file;
  bool operator==(const TokenSection&) const = default;
};

struct StreamSection {
  std::string format;                             ///< empty: as it is stored; else json
  std::map<std::string, std::string> attributes;  ///< JSON pointers by name
  Duration retain = std::chrono::days{7};
  bool operator==(const StreamSection&) const = default;
};

struct AppendSection {
  bool auto_create_streams = false;
  std::string default_format = "json";
  std::uint64_t fact_bytes_max = mebibyte;
  std::uint32_t batch_facts_max = 10'000;
  std::uint64_t batch_bytes_max = 16 * mebibyte;
  std::uint32_t json_depth_max = 100;
  Duration idempotency_retain = std::chrono::hours{24};
  std::uint64_t waiting_bytes_max = 256 * mebibyte;
  bool operator==(const AppendSection&) const = default;
};

struct ReadSection {
  std::uint32_t limit_default = 100;
  std::uint32_t limit_max = 1000;
  Duration wait_max = std::chrono::seconds{10};
  bool operator==(const ReadSection&) const = default;
};

/// Facts that an application has left in its own PostgreSQL database.
struct OutboxSection {
  std::string url;
  Duration poll_interval = std::chrono::milliseconds{50};
  bool operator==(const OutboxSection&) const = default;
};

struct DeliverySection {
  std::uint32_t transaction_facts_max = 100;
  std::uint64_t transaction_bytes_max = 8 * mebibyte;
  Duration request_timeout = std::chrono::seconds{60};
  Duration connect_timeout = std::chrono::seconds{10};
  std::uint64_t response_bytes_max = 64 * kibibyte;
  Backoff backoff;
  bool operator==(const DeliverySection&) const = default;
};

struct MatrixSection {
  std::string server_name;  ///< empty: a sender_localpart means that user of any server
  bool operator==(const MatrixSection&) const = default;
};

struct LimitSection {
  std::uint32_t services_max = 10'000;
  std::uint32_t patterns_per_service_max = 1000;
  std::uint64_t pattern_bytes_max = 4 * kibibyte;
  bool operator==(const LimitSection&) const = default;
};

struct OutboundSection {
  std::vector<std::string> allow;  ///< CIDR ranges that receivers may be in though not public
  bool operator==(const OutboundSection&) const = default;
};

struct MetricsSection {
  bool per_service = false;
  bool operator==(const MetricsSection&) const = default;
};

struct LogSection {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  bool operator==(const LogSection&) const = default;
};

struct StopSection {
  Duration grace = std::chrono::seconds{10};
  bool operator==(const StopSection&) const = default;
};

struct Settings {
  std::string database = "sqlite:./postrider.db";  ///< relative to the working directory
  std::string instance_name = "postrider";         ///< no two processes have the same
  StorageSection storage;
  FleetSection fleet;
  ReplicationSection replication;
  PublicSection public_api;  ///< section `public`
  AdminSection admin;
  TokenSection tokens;
  std::map<std::string, StreamSection> streams;
  AppendSection append;
  OutboxSection outbox;
  ReadSection read;
  std::vector<std::string> services;  ///< registration files; relative ones already resolved
  DeliverySection delivery;
  MatrixSection matrix;
  LimitSection limits;
  OutboundSection outbound;
  MetricsSection metrics;
  LogSection log;
  StopSection stop;
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
