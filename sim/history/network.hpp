#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>

#include "postrider/runtime/http_client.hpp"
#include "postrider/runtime/reply.hpp"
#include "sim/history/judge.hpp"
#include "sim/history/plan.hpp"
#include "sim/history/trace.hpp"
#include "sim/world/virtual_runtime.hpp"

namespace postrider::sim {

/// One request on its way.
struct Exchange {
  HttpRequest request;
  Judge::Address address;
  std::int64_t process = 0;            ///< that sends it
  Reply<Result<HttpResponse>> answer;  ///< empty: answered, or its sender is no more
  std::function<void()> arrive;        ///< while the request is on its way
};

/// The network and the receivers behind it. Outlives the processes that send.
class Network {
 public:
  Network(VirtualRuntime& world, Judge& judge, Trace& trace, NetworkFaults faults, Random random)
      : world_(world), judge_(judge), trace_(trace), faults_(faults), random_(random) {}

  /// Its process begins it; false when it is no transaction, which breaks a check.
  bool begin(Exchange& exchange);
  /// It leaves the process.
  void leave(std::shared_ptr<Exchange> exchange);
  void answer_later(std::shared_ptr<Exchange> exchange, Duration after,
                    Result<HttpResponse> answer);
  /// Its sender has gone: what is on its way arrives now or never.
  void cut_off(Exchange& exchange);
  /// From now on everything arrives and is answered 200.
  void heal();

  [[nodiscard]] std::int64_t faults() const { return fault_count_; }

 private:
  enum class Fate : std::uint8_t {
    answered,
    refused,
    reset_before,
    answer_lost,
    hangs,
    client_error,
    server_error,
    too_many,
    redirect,
    duplicated,
    gone,
    too_large,
    connection_lost
  };
  struct Receiver {
    bool dead = false;
    MonoTime changes_at{};
  };

  Fate draw_fate(const Exchange& exchange);
  /// What a webhook answers that remembers which transactions it took, and which were too large.
  [[nodiscard]] Fate remembered(const Exchange& exchange, Fate fate) const;
  bool is_dead(const std::string& url);
  [[nodiscard]] bool is_sound(const std::string& url) const;
  void arrive(const std::shared_ptr<Exchange>& exchange, Fate drawn);
  HttpResponse response_of(Fate fate, bool is_webhook);
  Duration draw_latency_to(const std::string& url);
  Duration draw_outage();

  VirtualRuntime& world_;
  Judge& judge_;
  Trace& trace_;
  NetworkFaults faults_;
  Random random_;
  std::map<std::string, Receiver> receivers_;
  std::int64_t fault_count_ = 0;
};

/// The HTTP client of one process.
class SimulatedHttpClient final : public HttpClient {
 public:
  /// `longest_connect`: that a request waits for its connection; 0: none waits.
  SimulatedHttpClient(VirtualRuntime& runtime, Network& network, Judge& judge, std::int64_t process,
                      Duration longest_connect, Random random)
      : runtime_(runtime),
        network_(network),
        judge_(judge),
        process_(process),
        longest_connect_(longest_connect),
        random_(random) {}
  ~SimulatedHttpClient() override { end(); }

  Async<Result<HttpResponse>> send(HttpRequest request) override;
  /// Every request fails with `stopping`, as when the server's grace time is over.
  void end_requests();
  /// The process is no more; nobody waits for answers.
  void end();

 private:
  void connect(std::shared_ptr<Exchange> exchange);

  VirtualRuntime& runtime_;
  Network& network_;
  Judge& judge_;
  std::int64_t process_;
  Duration longest_connect_;
  Random random_;
  std::list<std::weak_ptr<Exchange>> open_;
};

}  // namespace postrider::sim
