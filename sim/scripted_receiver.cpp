#include "sim/scripted_receiver.hpp"

#include <algorithm>

namespace postrider::sim {

Async<Result<HttpResponse>> ScriptedReceiver::send(HttpRequest request) {
  const std::size_t index = arrivals.size();
  arrivals.push_back({runtime_.now(), request.url, request.body ? request.body->text() : "",
                      request.timeout, request.fresh_connection, request.permit});
  in_flight_max = std::max(in_flight_max, ++in_flight_);
  on_arrival(arrivals.back());
  co_await clock_.wait_until(runtime_.now() + latency);
  --in_flight_;
  co_return answer(index);
}

}  // namespace postrider::sim
