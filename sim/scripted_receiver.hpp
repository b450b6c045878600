#pragma once

#include <functional>
#include <string>
#include <vector>

#include "postrider/runtime/event.hpp"
#include "postrider/runtime/http_client.hpp"

namespace postrider::sim {

/// Every receiver of a scenario: records what arrives and answers as it is told.
class ScriptedReceiver final : public HttpClient {
 public:
  struct Arrival {
    MonoTime at;
    std::string url;
    std::string body;
  };

  explicit ScriptedReceiver(Runtime& runtime) : runtime_(runtime), clock_(runtime) {}

  Async<Result<HttpResponse>> send(HttpRequest request) override;

  std::vector<Arrival> arrivals;
  Duration latency{};
  int in_flight_max = 0;
  /// The status of the n-th arrival, from 0.
  std::function<int(std::size_t)> status = [](std::size_t) { return 200; };

 private:
  Runtime& runtime_;
  Event clock_;
  int in_flight_ = 0;
};

}  // namespace postrider::sim
