#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "postrider/runtime/event.hpp"
#include "postrider/runtime/http_client.hpp"
#include "sim/history/referee.hpp"
#include "sim/sweep/fault.hpp"
#include "sim/world/virtual_runtime.hpp"

namespace postrider::sim {

/// The numbers of the facts in a body, `"n":NUMBER` in each, in their order.
std::vector<std::int64_t> numbers_in(std::string_view body);

/// Every receiver of a run. Each remembers the last transaction that it has taken, and no more.
class SweepReceivers {
 public:
  explicit SweepReceivers(Referee& referee) : referee_(referee) {}

  /// Takes a request, or refuses it with a status.
  int take(const HttpRequest& request);
  void begin(const std::string& service);
  void end(const std::string& service) { --receivers_[service].in_flight; }
  /// `http://SERVICE.test/...`
  static std::string service_of(const std::string& url);

  /// What the service has got, each once, in its order.
  [[nodiscard]] const std::vector<std::int64_t>& delivered(const std::string& service) {
    return receivers_[service].delivered;
  }

  /// What a receiver answers to its n-th request, from 1, with so many facts.
  std::function<int(const std::string&, int, std::size_t)> answer = [](const std::string&, int,
                                                                       std::size_t) { return 200; };

 private:
  struct Receiver {
    std::string last_id;
    std::string last_body;
    std::vector<std::int64_t> delivered;
    std::map<std::string, std::string> seen;  ///< bodies of all that were sent, by their IDs
    int requests = 0;
    int in_flight = 0;
  };

  Referee& referee_;
  std::map<std::string, Receiver> receivers_;
};

/// The way of one process to them, on which one request fails.
class SweepHttpClient final : public HttpClient {
 public:
  SweepHttpClient(VirtualRuntime& runtime, SweepReceivers& receivers, CallCounter& counter,
                  std::optional<Fault>& ended)
      : runtime_(runtime),
        receivers_(receivers),
        counter_(counter),
        ended_(ended),
        clock_(runtime) {}

  Async<Result<HttpResponse>> send(HttpRequest request) override;

 private:
  VirtualRuntime& runtime_;
  SweepReceivers& receivers_;
  CallCounter& counter_;
  std::optional<Fault>& ended_;
  Event clock_;
};

}  // namespace postrider::sim
