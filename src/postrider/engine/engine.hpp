#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/delivery/service_registry.hpp"
#include "postrider/delivery/transaction_controller.hpp"
#include "postrider/engine/metrics.hpp"
#include "postrider/engine/retention.hpp"
#include "postrider/sort/sorter.hpp"
#include "postrider/stream/stream.hpp"

namespace postrider {

struct StreamDeclaration {
  std::string format = "matrix";
  Duration retain = std::chrono::hours{24 * 7};
};

struct EngineSettings {
  std::map<std::string, StreamDeclaration> streams;
  bool auto_create_streams = false;
  StreamDeclaration created_stream;  ///< what an auto-created stream is like
  StreamSettings stream;
  DeliverySettings delivery;
  RegistrationLimits registration;
  std::size_t services_max = 10'000;
  std::size_t sort_facts_max = 10'000;  ///< decided in one commit
  std::string server_name;              ///< empty: senders match on any server
  bool per_service_metrics = false;
};

/// The world as the engine sees it. Everything outlives the engine.
struct EnginePorts {
  Runtime& runtime;
  Reader writer;      ///< the committer's connection; also read from while opening
  Reader background;  ///< backlogs: sorting and delivery of what left the caches, retention
  HttpClient& http;
};

/// One process of Postrider without its listeners. Everything on the engine thread.
class Engine {
 public:
  Engine(EnginePorts ports, EngineSettings settings);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  /// Reads the database, creates declared streams, reconciles declared services, starts work.
  Async<Result<void>> start(std::vector<Registration> declared_services);
  /// No new transaction, no new commit after what is under way. Ends the HTTP client's requests
  /// through `end_requests` when they are not done after `grace`.
  Async<void> stop(Duration grace, std::function<void()> end_requests);

  /// `not_found` names the stream; creates it when the settings allow.
  Async<Result<Stream*>> stream(std::string name);
  [[nodiscard]] std::vector<Stream*> streams() const;

  /// Facts of a stream that exists which are on disk but not sorted.
  [[nodiscard]] std::int64_t sort_lag(std::string_view stream) const;

  ServiceRegistry& services() { return registry_; }
  Metrics& metrics() { return metrics_; }
  [[nodiscard]] const EngineSettings& settings() const { return settings_; }
  Runtime& runtime() { return ports_.runtime; }

  /// Brings the gauges up to date and renders all metrics.
  std::string metrics_text();

 private:
  struct StreamParts {
    std::unique_ptr<Stream> stream;
    std::unique_ptr<Sorter> sorter;
    Duration retain{};
  };
  Async<Result<void>> load();
  Async<Result<void>> create_stream(std::string name, StreamDeclaration declaration);
  void add_stream(StreamRow row, StreamId last_id, Duration retain);
  Stream* find_stream(StreamKey key) const;
  std::vector<Retention::Subject> retention_subjects() const;
  void refresh_service_gauges();

  EnginePorts ports_;
  EngineSettings settings_;
  Metrics metrics_;
  Committer committer_;
  TransactionController controller_;
  ServiceRegistry registry_;
  Retention retention_;
  std::map<std::string, StreamParts, std::less<>> streams_;
  Event stream_created_;
  std::set<std::string> creating_;
};

}  // namespace postrider
