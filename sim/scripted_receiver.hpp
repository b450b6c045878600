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
    Duration timeout{};
    bool fresh_connection = false;
    std::shared_ptr<const SendPermit> permit = {};
  };

  explicit ScriptedReceiver(Runtime& runtime) : runtime_(runtime), clock_(runtime) {}

  Async<Result<HttpResponse>> send(HttpRequest request) override;

  static HttpResponse status(int status) {
    HttpResponse response;
    response.status = status;
    return response;
  }

  std::vector<Arrival> arrivals;
  Duration latency{};
  int in_flight_max = 0;
  /// Called when something has arrived, before it is answered.
  std::function<void(const Arrival&)> on_arrival = [](const Arrival&) {};
  /// The answer to the n-th arrival, from 0.
  std::function<Result<HttpResponse>(std::size_t)> answer = [](std::size_t) { return status(200); };

 private:
  Runtime& runtime_;
  Event clock_;
  int in_flight_ = 0;
};

}  // namespace postrider::sim
